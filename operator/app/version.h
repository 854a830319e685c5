// Which build this is.
#pragma once

#include <string>
#include <string_view>

namespace roster::app {

struct Build {
  std::string_view version;  ///< Of the CMake project.
  std::string_view commit;   ///< "unknown" if it was not built from a repository.
  std::string_view compiler;
};
const Build& ThisBuild();

/// "roster 1.2.3 (0123456789ab, GNU 12.2.0)".
std::string VersionLine();
/// User-Agent of requests to the API server: "roster/1.2.3 (linux/amd64)".
std::string UserAgent();

}  // namespace roster::app
