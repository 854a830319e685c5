#include "fakes/api_reader.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <utility>

#include "api/json.h"
#include "fakes/api_backend.h"

namespace roster::fake {
namespace {

struct Token {
  uint64_t version = 0;
  api::ObjectKey after;
};

// Opaque to clients. Hexadecimal, so that it needs no escaping, as the real ones do not.
std::string EncodeToken(const Token& token) {
  const std::string text =
      json{{"rv", token.version}, {"ns", token.after.ns}, {"name", token.after.name}}.dump();
  std::string encoded;
  for (const char c : text) encoded += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return encoded;
}

std::optional<Token> DecodeToken(const std::string& encoded) {
  std::string text;
  for (size_t i = 0; i + 1 < encoded.size(); i += 2) {
    unsigned value = 0;
    std::from_chars(encoded.data() + i, encoded.data() + i + 2, value, 16);
    text += static_cast<char>(value);
  }
  const json token = json::parse(text, nullptr, false);
  if (!token.is_object()) return std::nullopt;
  return Token{token.value("rv", uint64_t{0}), {token.value("ns", ""), token.value("name", "")}};
}

std::optional<uint64_t> ParseVersion(const std::string& text) {
  uint64_t version = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), version);
  if (text.empty() || end.ec != std::errc() || end.ptr != text.data() + text.size())
    return std::nullopt;
  return version;
}

Failure InvalidListOptions(const std::string& field, const std::string& why) {
  return Invalid("meta.k8s.io", "ListOptions", "",
                 {{"FieldValueForbidden", "Forbidden: " + why, field}});
}

constexpr std::string_view kTokenTooOld =
    "The provided continue parameter is too old to display a consistent list result. You can start "
    "a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder "
    "of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were "
    "created, modified, or deleted "
    "between the time the first chunk was returned and now may show up in the list.";

// Which state a LIST shows, and from where on.
struct View {
  uint64_t version = 0;
  std::optional<api::ObjectKey> after;
  size_t limit = 0;
};

Outcome<View> Resolve(const ApiRequest& request, const ObjectStore& store) {
  View view{store.version(), std::nullopt, 0};
  view.limit = static_cast<size_t>(ParseVersion(request.Query("limit")).value_or(0));
  const std::string text = request.Query("resourceVersion");
  const std::string match = request.Query("resourceVersionMatch");
  if (request.Flag("sendInitialEvents")) {
    return InvalidListOptions("sendInitialEvents", "sendInitialEvents is forbidden for list");
  }
  if (!match.empty() && text.empty()) {
    return InvalidListOptions(
        "resourceVersionMatch",
        "resourceVersionMatch is forbidden unless resourceVersion is provided");
  }
  if (const std::string encoded = request.Query("continue"); !encoded.empty()) {
    const auto token = DecodeToken(encoded);
    if (!token) return BadRequest("invalid continue token: continue key is not valid");
    view.after = token->after;
    if (token->version < store.compacted()) {
      Failure failure = Expired(kTokenTooOld);
      failure.status["metadata"]["continue"] = EncodeToken({store.version(), token->after});
      return failure;
    }
    view.version = token->version;
    return view;
  }
  if (text.empty()) return view;
  const auto version = ParseVersion(text);
  if (!version) {
    return BadRequest(fmt::format(
        "invalid resource version: resourceVersion: Invalid value: \"{}\": strconv.ParseUint: "
        "parsing \"{}\": invalid syntax",
        text, text));
  }
  if (*version == 0) {
    view.limit = 0;
    return view;
  }
  if (*version > store.version()) return TooLargeVersion(*version, store.version());
  // A limit without a match has meant this version exactly, ever since before there were matches.
  if (match == "Exact" || (match.empty() && view.limit > 0)) {
    if (*version < store.compacted()) return Expired("The provided resource version is too old.");
    view.version = *version;
  }
  return view;
}

std::string ListBody(const ResourceType& type, const json& metadata,
                     const std::vector<std::string>& items) {
  // Custom resources come with their keys in alphabetical order, built-in ones as their types
  // declare them.
  const std::string list = fmt::format("[{}]", fmt::join(items, ","));
  if (type.custom) {
    return fmt::format(R"({{"apiVersion":"{}","items":{},"kind":"{}List","metadata":{}}})",
                       type.ApiVersion(), list, type.kind, metadata.dump());
  }
  return fmt::format(R"({{"kind":"{}List","apiVersion":"{}","metadata":{},"items":{}}})", type.kind,
                     type.ApiVersion(), metadata.dump(), list);
}

std::string ListItem(const ResourceType& type, const json& object) {
  if (type.custom) return object.dump();
  json item = object;
  item.erase("apiVersion");
  item.erase("kind");
  return item.dump();
}

std::string EventLine(std::string_view type, const json& object) {
  return fmt::format(R"({{"type":"{}","object":{}}})", type, object.dump());
}

}  // namespace

Outcome<std::string> ListPage(const ApiRequest& request, const ObjectStore& store) {
  const auto selector = LabelSelector::Parse(request.Query("labelSelector"));
  if (!selector) return BadRequest(selector.error().message);
  if (!request.Query("fieldSelector").empty())
    return BadRequest("the fake API server knows no field selectors");
  auto resolved = Resolve(request, store);
  if (auto* failure = std::get_if<Failure>(&resolved)) return std::move(*failure);
  const View& view = std::get<View>(resolved);

  const std::string storage = ApiBackend::StorageName(*request.type);
  const ObjectMap past =
      view.version == store.version() ? ObjectMap() : store.AllAt(storage, view.version);
  const ObjectMap& all = view.version == store.version() ? store.All(storage) : past;
  std::vector<std::string> items;
  size_t remaining = 0;
  api::ObjectKey last;
  for (auto at = view.after ? all.upper_bound(*view.after) : all.begin(); at != all.end(); ++at) {
    const auto& [key, object] = *at;
    if (!request.key.ns.empty() && key.ns != request.key.ns) continue;
    if (!selector->Matches(*object)) continue;
    if (view.limit > 0 && items.size() == view.limit) {
      ++remaining;
      continue;
    }
    items.push_back(ListItem(*request.type, *object));
    last = key;
  }
  json metadata = {{"resourceVersion", std::to_string(view.version)}};
  if (remaining > 0) {
    metadata["continue"] = EncodeToken({view.version, last});
    // With a selector the real server would have to look at all of them to know.
    if (request.Query("labelSelector").empty()) metadata["remainingItemCount"] = remaining;
  } else if (request.type->custom) {
    metadata["continue"] = "";
  }
  return ListBody(*request.type, metadata, items);
}

WatchCursor::WatchCursor(const ApiRequest& request, LabelSelector selector)
    : type_(*request.type),
      ns_(request.key.ns),
      selector_(std::move(selector)),
      bookmarks_(request.Flag("allowWatchBookmarks")),
      send_initial_(request.Flag("sendInitialEvents")),
      position_(ParseVersion(request.Query("resourceVersion")).value_or(0)) {}

Outcome<WatchCursor> WatchCursor::Start(const ApiRequest& request, bool watch_list) {
  const std::string match = request.Query("resourceVersionMatch");
  if (request.query.contains("sendInitialEvents")) {
    if (match != "NotOlderThan") {
      return InvalidListOptions(
          "resourceVersionMatch",
          "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
    }
    if (!watch_list) {
      return InvalidListOptions(
          "sendInitialEvents",
          "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled");
    }
  } else if (!match.empty()) {
    return InvalidListOptions(
        "resourceVersionMatch",
        "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
  }
  auto selector = LabelSelector::Parse(request.Query("labelSelector"));
  if (!selector) return BadRequest(selector.error().message);
  const std::string version = request.Query("resourceVersion");
  if (!version.empty() && !ParseVersion(version)) {
    return AnyFailure(
        500, "",
        fmt::format("resourceVersion: Invalid value: \"{}\": strconv.ParseUint: parsing \"{}\": "
                    "invalid syntax",
                    version, version));
  }
  return WatchCursor(request, *std::move(selector));
}

std::vector<std::string> WatchCursor::Next(const ObjectStore& store) {
  std::vector<std::string> lines;
  const auto refuse = [&](const Failure& failure) {
    ended_ = true;
    lines.push_back(EventLine("ERROR", failure.status));
    return lines;
  };
  if (!std::exchange(started_, true)) {
    if (send_initial_ && position_ > store.version())
      return refuse(TooLargeVersion(position_, store.version()));
    if (send_initial_ || position_ == 0) {
      AddInitial(store, lines);
      position_ = store.version();
      return lines;
    }
    if (position_ < store.compacted()) {
      return refuse(
          Expired(fmt::format("too old resource version: {} ({})", position_, store.compacted())));
    }
  }
  for (const Change& change : store.Since(ApiBackend::StorageName(type_), position_)) {
    const bool was = Selects(change.before, change.key);
    const bool is = Selects(change.after, change.key);
    if (is) {
      lines.push_back(EventLine(was ? "MODIFIED" : "ADDED", *change.after));
    } else if (was) {
      // The state before, under the version of the change that took it out of sight.
      json last = *change.before;
      last["metadata"]["resourceVersion"] = std::to_string(change.version);
      lines.push_back(EventLine("DELETED", last));
    }
    position_ = change.version;
  }
  return lines;
}

void WatchCursor::AddInitial(const ObjectStore& store, std::vector<std::string>& lines) {
  for (const auto& [key, object] : store.All(ApiBackend::StorageName(type_))) {
    if (Selects(object, key)) lines.push_back(EventLine("ADDED", *object));
  }
  if (!send_initial_ || !bookmarks_) return;
  json end = BookmarkObject(store.version());
  end["metadata"]["annotations"] = {{"k8s.io/initial-events-end", "true"}};
  lines.push_back(EventLine("BOOKMARK", end));
}

std::string WatchCursor::Bookmark(const ObjectStore& store) const {
  return bookmarks_ ? EventLine("BOOKMARK", BookmarkObject(store.version())) : std::string();
}

json WatchCursor::BookmarkObject(uint64_t version) const {
  return {{"apiVersion", type_.ApiVersion()},
          {"kind", type_.kind},
          {"metadata", {{"resourceVersion", std::to_string(version)}}}};
}

bool WatchCursor::Selects(const ObjectPtr& object, const api::ObjectKey& key) const {
  return object && (ns_.empty() || ns_ == key.ns) && selector_.Matches(*object);
}

}  // namespace roster::fake
