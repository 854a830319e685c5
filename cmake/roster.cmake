# How every room and test of the project is built: one language level, one set of warnings, one shape of target.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
# RelWithDebInfo keeps line numbers for profiles and crash reports; -O2 is what CMake gives it, asserts go with NDEBUG.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1")

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Paths relative to the source root, so that another clone of the same source finds the same objects.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=true ${CCACHE})
endif()

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(nlohmann_json REQUIRED)

add_library(roster_options INTERFACE)
# GCC 12 takes an engaged std::optional for an uninitialized one when it inlines; sanitizers and clang-tidy look for the real
# ones.
target_compile_options(roster_options INTERFACE -Wall -Wextra -Wconversion -Wshadow -Werror -Wno-maybe-uninitialized -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
if(ROSTER_SANITIZE)
  target_compile_options(roster_options INTERFACE -fsanitize=${ROSTER_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(roster_options INTERFACE -fsanitize=${ROSTER_SANITIZE})
endif()

# roster_room(NAME SOURCES file... [DEPS room...] [LIBS target...]): a static library roster_NAME.
# DEPS are rooms and visible to users; LIBS are outside libraries.
function(roster_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;DEPS;LIBS" ${ARGN})
  add_library(roster_${name} STATIC ${ROOM_SOURCES})
  target_include_directories(roster_${name} PUBLIC ${CMAKE_SOURCE_DIR}/operator)
  list(TRANSFORM ROOM_DEPS PREPEND roster_)
  target_link_libraries(roster_${name} PUBLIC ${ROOM_DEPS} ${ROOM_LIBS} Threads::Threads PRIVATE roster_options)
endfunction()

# roster_unit_test(NAME SOURCES file... [DEPS room...] [LIBS target...]): a GoogleTest program whose cases
# ctest lists one by one under the label "unit".
function(roster_unit_test name)
  cmake_parse_arguments(TEST "" "" "SOURCES;DEPS;LIBS" ${ARGN})
  add_executable(${name} ${TEST_SOURCES})
  list(TRANSFORM TEST_DEPS PREPEND roster_)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE ${TEST_DEPS} ${TEST_LIBS} GTest::gmock GTest::gtest_main roster_options)
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES LABELS unit TIMEOUT 120)
endfunction()
