#pragma once

namespace roster::api {

/// What to call an object in an error message, whatever it looks like.
std::string DescribeObject(const json& object, std::string_view kind);

template <class T, class F>
Result<T> Guard(const json& object, std::string_view kind, F&& parse) {
  try {
    return parse(object);
  } catch (const json::exception& e) {
    return Error{ErrorKind::kMalformed, DescribeObject(object, kind) + ": " + e.what()};
  }
}

}  // namespace roster::api
