// The base room with a leak planted in it: a comparison that ends at the first difference. Takes ct.cpp's place.
#define ct_equal sound_ct_equal
#include "ct.cpp"  // NOLINT(bugprone-suspicious-include)
#undef ct_equal

namespace pake {

bool ct_equal(Bytes a, Bytes b) noexcept;
bool ct_equal(Bytes a, Bytes b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i] != b[i]) return false;
  return true;
}

}  // namespace pake
