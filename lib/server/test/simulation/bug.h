// The mistakes that the simulation must find, each planted in one place.
#pragma once

#include <cstdint>
#include <string_view>

namespace pake::server::simulation {

enum class Bug : std::uint8_t {
  none,
  // Guesses.
  free_before_commit,     // the slot is free while the failure is not committed
  read_before_take,       // the row is read before the slot is taken
  forget_on_hang_up,      // who hangs up after the answer has spent nothing
  no_slots,               // any number of open guesses at once
  ignore_open,            // open guesses are not subtracted from the bucket
  drop_failed_charge,     // a charge that the store did not take is not tried again
  free_while_retrying,    // it is tried again, but the slot is free meanwhile
  refund_failures,        // a wrong finish gives the guess back
  charge_in_memory,       // a node keeps its buckets to itself
  charge_source_only,     // the account's bucket is forgotten
  charge_account_only,    // the source's bucket is forgotten
  charge_unknown_not,     // names without an account cost nothing
  answer_without_store,   // the store is away: the login goes on with full buckets
  refund_twice,           // a success makes the bucket full
  refill_too_fast,        // a guess comes back in half its time
  throttle_known_only,    // a name without an account is never throttled
  retry_after_tells,      // a name without an account is told another time
  throttle_without_time,  // who is throttled by slots is told nothing if there is no account
  fake_differs,           // a name without an account is answered under another profile
  // Known devices.
  device_of_anybody,      // a device that is none of the user's is taken
  device_any_generation,  // the generation in its ticket is not looked at
  hello_twice,            // a hello that was charged to a device's bucket counts for it again
  device_not_charged,     // failures from a known device cost nothing
  // Invitations.
  code_slots,        // as many tries of a code open on a node as of an account
  code_not_charged,  // a wrong code costs nothing
  code_stays,        // a code that was redeemed is not withdrawn
  // Users, sessions, tickets.
  disabled_may_enter,        // a disabled user's own record is answered
  removed_may_enter,         // a removed user's record is kept and answered
  entry_not_checked,         // a session begins whatever has changed since its row was read
  ticket_on_old_view,        // a node that has not heard of the store for long takes tickets
  ticket_without_store,      // the store cannot be asked: the ticket is good
  ticket_any_generation,     // a ticket's generation is not looked at
  ticket_without_secret,     // nor whether its bearer knows its secret
  feed_stays_behind,         // a node reads changes once, when it starts
  feed_skips_one,            // the first change of each reading is lost
  feed_marks_failures,       // a failed reading counts as a fresh view
  sessions_stay,             // a change does not end sessions
  end_lower_only,            // a disabled user's session of the same generation stays
  disable_keeps_generation,  // and is enabled again unseen
  reuse_generations,         // a name that is made anew begins anywhere
  // The store.
  no_compare_and_swap,      // the last writer wins
  acknowledge_before_sync,  // a crash of the store loses what it has acknowledged
  change_not_announced,     // a write that moves the generation stays out of the feed
  announce_before_commit,   // a number of the feed is taken before its change can be read
  read_from_replica,        // logins are read where changes arrive late
  charge_overwrites,        // two charges at once count as one
  last,
};

[[nodiscard]] std::string_view to_string(Bug bug) noexcept;

}  // namespace pake::server::simulation
