// Every counter, gauge and histogram that is moved while the operator works, and how to reach each
// without a look-up.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <atomic>
#include <string>
#include <string_view>

#include "base/guarded.h"
#include "metrics/label_cap.h"

namespace roster::metrics {

/// Counters by one or two labels from closed sets of words, made at zero at the start. A word that
/// is in no set is counted under kOther: a label set never grows past its closed set. Thread-safe.
template <size_t Rows, size_t Columns>
class CounterTable {
 public:
  using Family = prometheus::Family<prometheus::Counter>;

  CounterTable(Family& family, std::string row_label, std::array<std::string_view, Rows> rows,
               std::string column_label, std::array<std::string_view, Columns> columns)
      : family_(family),
        row_label_(std::move(row_label)),
        column_label_(std::move(column_label)),
        rows_(rows),
        columns_(columns) {
    for (size_t r = 0; r < Rows; ++r) {
      for (size_t c = 0; c < Columns; ++c) {
        // A state never changes to itself.
        cells_[r][c] = rows_[r] == columns_[c] ? nullptr : &Make(rows_[r], columns_[c]);
      }
    }
  }

  void Increment(std::string_view row, std::string_view column) {
    const size_t r = IndexOf(rows_, row);
    const size_t c = IndexOf(columns_, column);
    if (r < Rows && c < Columns && cells_[r][c] != nullptr) {
      cells_[r][c]->Increment();
    } else {
      Make(r < Rows ? row : kOther, c < Columns ? column : kOther).Increment();
    }
  }

 private:
  template <size_t N>
  static size_t IndexOf(const std::array<std::string_view, N>& words, std::string_view word) {
    size_t i = 0;
    while (i < N && words[i] != word) ++i;
    return i;
  }

  prometheus::Counter& Make(std::string_view row, std::string_view column) {
    prometheus::Labels labels{{row_label_, std::string(row)}};
    if (!column_label_.empty()) labels.emplace(column_label_, std::string(column));
    return family_.Add(labels);
  }

  Family& family_;
  const std::string row_label_;
  const std::string column_label_;
  const std::array<std::string_view, Rows> rows_;
  const std::array<std::string_view, Columns> columns_;
  std::array<std::array<prometheus::Counter*, Columns>, Rows> cells_{};
};

/// Thread-safe.
struct Instruments {
  struct Options {
    std::string version;
    std::string commit;
    std::string api_host;
    int workers = 0;
    size_t max_types = 100;
  };
  explicit Instruments(const Options& options);

  /// `verb` as kube::RequestObservation has it.
  void RequestDone(std::string_view verb, int code, double seconds);
  void BecameReady(std::string_view type, double seconds);

  prometheus::Registry registry;

  std::array<prometheus::Counter*, 4> reconciles;  ///< By controller::ReconcileResult.
  prometheus::Counter& reconcile_errors;
  prometheus::Counter& reconcile_panics;
  prometheus::Histogram& reconcile_time;
  prometheus::Gauge& active_workers;

  prometheus::Counter& queue_adds;
  prometheus::Counter& queue_retries;
  prometheus::Histogram& queue_wait;
  prometheus::Histogram& queue_work;
  // Set at scrape.
  prometheus::Gauge& queue_depth;
  prometheus::Gauge& queue_unfinished;
  prometheus::Gauge& queue_longest;

  CounterTable<10, 9> transitions;
  prometheus::Histogram& status_writes;
  prometheus::Counter& cache_hits;
  prometheus::Counter& cache_misses;
  prometheus::Counter& cache_lagged;
  CounterTable<4, 6> watch_restarts;
  CounterTable<4, 1> relists;
  CounterTable<4, 1> malformed;
  prometheus::Counter& events_dropped;
  prometheus::Counter& dropped_agents;
  prometheus::Counter& dropped_namespaces;
  prometheus::Counter& dropped_types;

 private:
  static constexpr size_t kMethods = 6;  ///< The last one stands for all others.
  static constexpr size_t kCodes = 600;

  const std::string api_host_;
  prometheus::Family<prometheus::Counter>& requests_;
  /// Made at first use, because codes are many; then found by index.
  std::array<std::array<std::atomic<prometheus::Counter*>, kCodes>, kMethods> request_counters_{};
  std::array<prometheus::Histogram*, kMethods> request_durations_{};

  prometheus::Family<prometheus::Histogram>& ready_;
  Guarded<LabelCap> ready_types_;
};

}  // namespace roster::metrics
