#include "bug.h"

#include <utility>

namespace pake::server::simulation {

std::string_view to_string(Bug bug) noexcept {
  switch (bug) {
    case Bug::none:
      return "none";
    case Bug::free_before_commit:
      return "free_before_commit";
    case Bug::read_before_take:
      return "read_before_take";
    case Bug::forget_on_hang_up:
      return "forget_on_hang_up";
    case Bug::no_slots:
      return "no_slots";
    case Bug::ignore_open:
      return "ignore_open";
    case Bug::drop_failed_charge:
      return "drop_failed_charge";
    case Bug::free_while_retrying:
      return "free_while_retrying";
    case Bug::refund_failures:
      return "refund_failures";
    case Bug::charge_in_memory:
      return "charge_in_memory";
    case Bug::charge_source_only:
      return "charge_source_only";
    case Bug::charge_account_only:
      return "charge_account_only";
    case Bug::charge_unknown_not:
      return "charge_unknown_not";
    case Bug::answer_without_store:
      return "answer_without_store";
    case Bug::refund_twice:
      return "refund_twice";
    case Bug::refill_too_fast:
      return "refill_too_fast";
    case Bug::throttle_known_only:
      return "throttle_known_only";
    case Bug::retry_after_tells:
      return "retry_after_tells";
    case Bug::throttle_without_time:
      return "throttle_without_time";
    case Bug::device_of_anybody:
      return "device_of_anybody";
    case Bug::device_any_generation:
      return "device_any_generation";
    case Bug::hello_twice:
      return "hello_twice";
    case Bug::device_not_charged:
      return "device_not_charged";
    case Bug::code_slots:
      return "code_slots";
    case Bug::code_not_charged:
      return "code_not_charged";
    case Bug::code_stays:
      return "code_stays";
    case Bug::disabled_may_enter:
      return "disabled_may_enter";
    case Bug::removed_may_enter:
      return "removed_may_enter";
    case Bug::entry_not_checked:
      return "entry_not_checked";
    case Bug::ticket_on_old_view:
      return "ticket_on_old_view";
    case Bug::ticket_without_store:
      return "ticket_without_store";
    case Bug::ticket_any_generation:
      return "ticket_any_generation";
    case Bug::feed_stays_behind:
      return "feed_stays_behind";
    case Bug::feed_skips_one:
      return "feed_skips_one";
    case Bug::feed_marks_failures:
      return "feed_marks_failures";
    case Bug::sessions_stay:
      return "sessions_stay";
    case Bug::end_lower_only:
      return "end_lower_only";
    case Bug::disable_keeps_generation:
      return "disable_keeps_generation";
    case Bug::reuse_generations:
      return "reuse_generations";
    case Bug::no_compare_and_swap:
      return "no_compare_and_swap";
    case Bug::acknowledge_before_sync:
      return "acknowledge_before_sync";
    case Bug::change_not_announced:
      return "change_not_announced";
    case Bug::announce_before_commit:
      return "announce_before_commit";
    case Bug::read_from_replica:
      return "read_from_replica";
    case Bug::charge_overwrites:
      return "charge_overwrites";
    case Bug::fake_differs:
      return "fake_differs";
    case Bug::ticket_without_secret:
      return "ticket_without_secret";
    case Bug::last:
      return "last";
  }
  std::unreachable();
}

}  // namespace pake::server::simulation
