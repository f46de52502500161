# Precompiled headers of the standard library, and of GoogleTest for tests: a fifth of the work of a sanitized build, a third
# of a release build's programs.
#
#   pake_precompiled(TARGET room|test)    TARGET compiles with them, if PAKE_PRECOMPILED_HEADERS is on
#
# Off by default, so for who builds without a preset and for the packages, and in the presets bench, fuzz, gcc, shared and
# tidy: there an include that is missing is seen.
include_guard()
option(PAKE_PRECOMPILED_HEADERS "Precompile the standard library's headers, and GoogleTest's for the tests" OFF)

set(standard
  <algorithm> <array> <atomic> <bit> <chrono> <compare> <concepts> <cstddef> <cstdint> <cstring> <deque> <expected>
  <filesystem> <functional> <limits> <map> <memory> <mutex> <optional> <random> <ranges> <set> <span> <sstream> <string>
  <string_view> <system_error> <thread> <tuple> <type_traits> <unordered_map> <utility> <variant> <vector>)

function(pake_precompiled_headers name)
  target_compile_features(${name} PUBLIC cxx_std_23)
  target_link_libraries(${name} PRIVATE Threads::Threads)
  target_precompile_headers(${name} PRIVATE ${ARGN})
endfunction()

if(PAKE_PRECOMPILED_HEADERS)
  find_package(Threads REQUIRED)
  # Rooms are libraries and tests are programs, and position-independent code is another thing in each: so are these.
  set(source ${CMAKE_CURRENT_BINARY_DIR}/pake_precompiled.cpp)
  file(GENERATE OUTPUT ${source} CONTENT "int main() {}\n")
  add_library(pake_precompiled_room OBJECT ${source})
  pake_precompiled_headers(pake_precompiled_room ${standard})
  if(PAKE_BUILD_TESTS)
    find_package(GTest REQUIRED)
    add_executable(pake_precompiled_test ${source})
    set_target_properties(pake_precompiled_test PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles)
    pake_precompiled_headers(pake_precompiled_test ${standard} <gmock/gmock.h> <gtest/gtest.h>)
    target_link_libraries(pake_precompiled_test PRIVATE GTest::gmock)
  endif()
endif()

function(pake_precompiled target kind)
  if(PAKE_PRECOMPILED_HEADERS)
    target_precompile_headers(${target} REUSE_FROM pake_precompiled_${kind})
  endif()
endfunction()
