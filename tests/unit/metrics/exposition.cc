#include "unit/metrics/exposition.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace roster::metrics {
namespace {

std::vector<std::string> LinesOf(std::string_view text) {
  std::istringstream in{std::string(text)};
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string NameOf(const std::string& line) {
  if (line.starts_with("# ")) {
    std::istringstream words(line);
    std::string hash;
    std::string keyword;
    std::string name;
    words >> hash >> keyword >> name;
    return name;
  }
  return line.substr(0, line.find_first_of("{ "));
}

}  // namespace

std::string FamilyOf(std::string_view text, std::string_view name) {
  std::string family;
  for (const std::string& line : LinesOf(text)) {
    std::string_view rest = line;
    if (NameOf(line) == name ||
        (rest.starts_with(name) && (rest.remove_prefix(name.size()), true) &&
         (rest.starts_with("_bucket") || rest.starts_with("_sum") || rest.starts_with("_count")))) {
      family += line + "\n";
    }
  }
  return family;
}

std::string LineOf(std::string_view text, std::string_view series) {
  for (const std::string& line : LinesOf(text)) {
    if (line.starts_with(series) && line.size() > series.size() && line[series.size()] == ' ') {
      return line;
    }
  }
  return "";
}

std::map<std::string, FamilyShape> ShapesOf(std::string_view text) {
  std::map<std::string, FamilyShape> shapes;
  std::string current;
  for (const std::string& line : LinesOf(text)) {
    if (line.starts_with("# HELP ")) {
      current = NameOf(line);
      shapes[current].help = line.substr(std::string("# HELP ").size() + current.size() + 1);
    } else if (line.starts_with("# TYPE ")) {
      shapes[NameOf(line)].type = line.substr(line.rfind(' ') + 1);
    } else {
      // Every label ends in ="; no value that the tests make holds these two characters.
      const std::string labels = line.substr(0, line.rfind('}') + 1);
      for (size_t end = labels.find("=\""); end != std::string::npos;
           end = labels.find("=\"", end + 1)) {
        const std::string label = labels.substr(labels.find_last_of("{,", end) + 1,
                                                end - labels.find_last_of("{,", end) - 1);
        if (label != "le") shapes[current].labels.insert(label);
      }
    }
  }
  return shapes;
}

LintResult Lint(std::string_view text) {
  if (std::system("command -v promtool >/dev/null 2>&1") != 0)
    return {};  // NOLINT(concurrency-mt-unsafe)
  const auto file = std::filesystem::temp_directory_path() /
                    ("roster-metrics-" + std::to_string(getpid()) + ".txt");
  std::ofstream(file) << text;
  std::string complaints;
  FILE* pipe = popen(("promtool check metrics < " + file.string() + " 2>&1").c_str(), "r");
  std::array<char, 4096> buffer{};
  while (size_t n = fread(buffer.data(), 1, buffer.size(), pipe))
    complaints.append(buffer.data(), n);
  const int status = pclose(pipe);
  std::filesystem::remove(file);
  if (status != 0 && complaints.empty()) complaints = "promtool failed without a word";
  return {true, complaints};
}

}  // namespace roster::metrics
