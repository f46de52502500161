// Intel's libipsec-mb, as this room begins with it.
#pragma once

#include <intel-ipsec-mb.h>

#include <cstdint>
#include <memory>
#include <utility>

namespace pake::crypto {

struct IpsecMbDeleter {
  void operator()(IMB_MGR* manager) const noexcept { free_mb_mgr(manager); }
};
using IpsecMbManager = std::unique_ptr<IMB_MGR, IpsecMbDeleter>;

/// A manager, 200 kB, with the functions that `init` chooses. The library tests them on itself: about 1 ms.
/// @param features  what the processor has to have
/// @return null without these, without memory, or if the test fails
inline IpsecMbManager make_ipsec_mb_manager(std::uint64_t features, void (*init)(IMB_MGR*)) {
  IpsecMbManager manager(alloc_mb_mgr(0));
  if (manager == nullptr || (manager->features & features) != features) return nullptr;
  init(manager.get());
  return (manager->features & IMB_FEATURE_SELF_TEST_PASS) != 0 ? std::move(manager) : nullptr;
}

}  // namespace pake::crypto
