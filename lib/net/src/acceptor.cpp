#include "pake/net/acceptor.h"

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "pake/net/clock.h"
#include "pake/net/coroutine.h"

namespace pake::net {

class Callers::Pools {
 public:
  explicit Pools(CallerLimits limits) : limits_(limits) {}

  bool enter(const std::shared_ptr<Caller::Member>& member);
  void leave(Caller::Member& member) noexcept;
  void set_source(Caller::Member& member, const Source& source);
  bool begin_waiting(Caller::Member& member);
  void end_waiting(Caller::Member& member) noexcept;
  bool evict();

  struct Counts {
    std::size_t silent = 0, waiting = 0, all = 0;
    std::size_t leaving = 0;  // evicted, and their loops have not closed them yet
  };
  [[nodiscard]] Counts counts() const noexcept {
    const std::scoped_lock lock(mutex_);
    return counts_;
  }

 private:
  /// The silent callers of one source, the oldest first.
  struct Group {
    std::list<Caller::Member*> members;
  };
  /// How many it has; of equals, the one with the oldest member comes first.
  struct Rank {
    std::size_t size;
    std::uint64_t oldest;
    Group* group;
    bool operator<(const Rank& other) const noexcept {
      return size != other.size ? size > other.size : oldest < other.oldest;
    }
  };

  // With the lock held.
  [[nodiscard]] static Rank rank_of(Group& group);
  void add_silent(Caller::Member& member);
  void remove_silent(Caller::Member& member);
  bool evict_one();

  CallerLimits limits_;
  Counts counts_;
  mutable std::mutex mutex_;
  std::map<Source, Group> groups_;
  std::set<Rank> ranks_;
  std::uint64_t next_ = 0;
};

class Caller::Member : public std::enable_shared_from_this<Member> {
 public:
  Member(std::unique_ptr<Stream> of, Loop& at, std::shared_ptr<Callers::Pools> in)
      : stream(std::move(of)), home(at), pools(std::move(in)), source(stream->peer()) {}
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;

  enum class State : std::uint8_t { silent, waiting, neither, evicted, gone };

  std::unique_ptr<Stream> stream;  // the loop's alone
  Loop& home;
  const std::shared_ptr<Callers::Pools> pools;
  // What follows is the pools'.
  Source source;
  State state = State::neither;
  std::uint64_t order = 0;
  std::list<Member*>::iterator place;
};

using State = Caller::Member::State;

Callers::Pools::Rank Callers::Pools::rank_of(Group& group) {
  return {.size = group.members.size(), .oldest = group.members.front()->order, .group = &group};
}

void Callers::Pools::add_silent(Caller::Member& member) {
  auto& group = groups_[member.source];
  if (!group.members.empty()) ranks_.erase(rank_of(group));
  member.place = group.members.insert(group.members.end(), &member);
  member.state = State::silent;
  ranks_.insert(rank_of(group));
  ++counts_.silent;
}

void Callers::Pools::remove_silent(Caller::Member& member) {
  const auto found = groups_.find(member.source);
  auto& group = found->second;
  ranks_.erase(rank_of(group));
  group.members.erase(member.place);
  member.state = State::neither;
  --counts_.silent;
  if (group.members.empty())
    groups_.erase(found);
  else
    ranks_.insert(rank_of(group));
}

bool Callers::Pools::evict_one() {
  if (ranks_.empty()) return false;
  auto& member = *ranks_.begin()->group->members.front();
  remove_silent(member);
  --counts_.all;
  member.state = State::evicted;
  ++counts_.leaving;
  member.home.post(member.weak_from_this(), [](Caller::Member& evicted) {
    if (evicted.stream) evicted.stream->interrupt();
  });
  return true;
}

bool Callers::Pools::evict() {
  const std::scoped_lock lock(mutex_);
  return evict_one();
}

bool Callers::Pools::enter(const std::shared_ptr<Caller::Member>& member) {
  const std::scoped_lock lock(mutex_);
  if (counts_.all >= limits_.all && !evict_one()) return false;
  while (counts_.silent >= limits_.silent && evict_one()) {
  }
  member->order = next_++;
  add_silent(*member);
  ++counts_.all;
  return true;
}

void Callers::Pools::leave(Caller::Member& member) noexcept {
  const std::scoped_lock lock(mutex_);
  if (member.state == State::gone) return;
  if (member.state == State::evicted) {
    member.state = State::gone;
    --counts_.leaving;
    return;
  }
  if (member.state == State::silent) remove_silent(member);
  if (member.state == State::waiting) --counts_.waiting;
  member.state = State::gone;
  --counts_.all;
}

void Callers::Pools::set_source(Caller::Member& member, const Source& source) {
  const std::scoped_lock lock(mutex_);
  const bool is_silent = member.state == State::silent;
  if (is_silent) remove_silent(member);
  member.source = source;
  if (is_silent) add_silent(member);
}

bool Callers::Pools::begin_waiting(Caller::Member& member) {
  const std::scoped_lock lock(mutex_);
  if (member.state != State::silent) return false;
  remove_silent(member);
  if (counts_.waiting >= limits_.waiting) return false;
  member.state = State::waiting;
  ++counts_.waiting;
  return true;
}

void Callers::Pools::end_waiting(Caller::Member& member) noexcept {
  const std::scoped_lock lock(mutex_);
  if (member.state == State::silent) remove_silent(member);
  if (member.state != State::waiting) return;
  member.state = State::neither;
  --counts_.waiting;
}

Caller::Caller(std::shared_ptr<Member> member) noexcept : member_(std::move(member)) {}
Caller::Caller(Caller&&) noexcept = default;
Caller::~Caller() {
  if (member_) member_->pools->leave(*member_);
}

Loop& Caller::loop() noexcept { return member_->home; }
Stream& Caller::stream() noexcept { return *member_->stream; }
void Caller::wrap(const std::function<std::unique_ptr<Stream>(std::unique_ptr<Stream>)>& wrap) {
  member_->stream = wrap(std::move(member_->stream));
}
void Caller::comes_from(const Source& source) { member_->pools->set_source(*member_, source); }
bool Caller::begin_waiting() { return member_->pools->begin_waiting(*member_); }
void Caller::end_waiting() noexcept { member_->pools->end_waiting(*member_); }
std::unique_ptr<Stream> Caller::take_stream() {
  end_waiting();
  return std::move(member_->stream);
}

Callers::Callers(CallerLimits limits) : pools_(std::make_shared<Pools>(limits)) {}

std::optional<Caller> Callers::admit(std::unique_ptr<Stream> stream, Loop& home) {
  auto member = std::make_shared<Caller::Member>(std::move(stream), home, pools_);
  if (!pools_->enter(member)) return std::nullopt;
  return Caller(std::move(member));
}

bool Callers::evict() { return pools_->evict(); }
std::size_t Callers::silent() const noexcept { return pools_->counts().silent; }
std::size_t Callers::waiting() const noexcept { return pools_->counts().waiting; }
std::size_t Callers::all() const noexcept { return pools_->counts().all; }
std::size_t Callers::leaving() const noexcept { return pools_->counts().leaving; }

namespace {

/// Says a thing once, until it is over.
class Once {
 public:
  explicit Once(const AcceptHandlers& handlers) : handlers_(handlers) {}
  void tell(const Error& error, const Address* peer) {
    if (!std::exchange(is_told_, true) && handlers_.is_full) handlers_.is_full(error, peer);
  }
  void over() noexcept { is_told_ = false; }

 private:
  const AcceptHandlers& handlers_;
  bool is_told_ = false;
};

// Holds what serves for as long as it does: the loop that accepts may end before.
Awaitable<void> serve(std::shared_ptr<const AcceptHandlers> handlers, Caller caller) {
  co_await handlers->serve(std::move(caller));
}

bool is_end(const Error& error) { return error == Error::Kind::interrupted || error == Error::Kind::cancelled; }

}  // namespace

Awaitable<void> accept_loop(Loop& loop, std::shared_ptr<Listener> listener, Callers callers, AcceptHandlers given) {
  constexpr std::size_t kMostLeaving = 8;
  constexpr std::chrono::milliseconds kEvictionTime{1};  // until an evicted one's descriptor is free
  constexpr std::chrono::milliseconds kPause{100};       // if there is nobody to evict
  const auto handlers = std::make_shared<const AcceptHandlers>(std::move(given));
  Once no_descriptor(*handlers);
  Once full(*handlers);
  for (;;) {
    co_await loop.yield();
    while (callers.leaving() >= kMostLeaving)  // else connections come faster than others close them
      if (!co_await loop.sleep_until(after(kEvictionTime))) co_return;
    Loop& home = handlers->home();
    auto accepted = co_await listener->accept(home, kNever);
    if (!accepted && is_end(accepted.error())) co_return;
    if (!accepted) {
      no_descriptor.tell(accepted.error(), nullptr);
      const auto pause = callers.evict() ? kEvictionTime : kPause;
      if (!co_await loop.sleep_until(after(pause))) co_return;
      continue;
    }
    const auto peer = (*accepted)->peer();
    auto caller = callers.admit(std::move(*accepted), home);
    if (!caller) {
      full.tell({.kind = Error::Kind::exhausted, .system = EBUSY}, &peer);
      continue;
    }
    full.over();
    home.spawn(serve(handlers, std::move(*caller)));
  }
}

}  // namespace pake::net
