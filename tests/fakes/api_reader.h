// LIST and WATCH over the store.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "fakes/api_request.h"
#include "fakes/label_selector.h"
#include "fakes/object_store.h"
#include "fakes/status_answer.h"

namespace roster::fake {

/// One page as the body of an answer. Pages of one list show one state; a token of a state that is
/// compacted away is refused with 410. resourceVersion=0 is answered from memory and knows no
/// pages, as on a real server.
Outcome<std::string> ListPage(const ApiRequest& request, const ObjectStore& store);

/// One watch. Not thread-safe.
class WatchCursor {
 public:
  /// `watch_list`: whether the server has the feature WatchList.
  static Outcome<WatchCursor> Start(const ApiRequest& request, bool watch_list);

  /// Events that are due, each a line without its newline.
  std::vector<std::string> Next(const ObjectStore& store);
  /// The line of a bookmark; empty if the watch did not ask for them.
  std::string Bookmark(const ObjectStore& store) const;
  /// True after an ERROR event.
  bool ended() const { return ended_; }

 private:
  WatchCursor(const ApiRequest& request, LabelSelector selector);

  void AddInitial(const ObjectStore& store, std::vector<std::string>& lines);
  bool Selects(const ObjectPtr& object, const api::ObjectKey& key) const;
  json BookmarkObject(uint64_t version) const;

  ResourceType type_;
  std::string ns_;
  LabelSelector selector_;
  bool bookmarks_;
  bool send_initial_;
  uint64_t position_ =
      0;  ///< All up to this version was sent; 0: nothing yet, and the state comes first.
  bool started_ = false;
  bool ended_ = false;
};

}  // namespace roster::fake
