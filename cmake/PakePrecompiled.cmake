# Precompiled headers of the standard library, and of GoogleTest for tests: a fifth of the work of a sanitized build, a third
# of a release build's programs. A preset says -fPIC for all or for none: by CMake's own switch libraries and programs differ.
#
#   pake_precompiled(TARGET room|test)    TARGET compiles with them, if PAKE_PRECOMPILED_HEADERS is on;
#                                         a test with PAKE_TEST_FLAGS, as what is precompiled for it
#
# Off by default, so for who builds without a preset and for the packages, and in the presets bench, fuzz, gcc, shared and
# tidy: there an include that is missing is seen.
include_guard()
set(PAKE_TEST_FLAGS "" CACHE STRING "Compiler options for the tests' own sources, after all others")
option(PAKE_PRECOMPILED_HEADERS "Precompile the standard library's headers, and GoogleTest's for the tests" OFF)

set(standard
  <algorithm> <array> <atomic> <bit> <chrono> <compare> <concepts> <cstddef> <cstdint> <cstring> <deque> <expected>
  <filesystem> <functional> <limits> <map> <memory> <mutex> <optional> <random> <ranges> <set> <span> <sstream> <string>
  <string_view> <system_error> <thread> <tuple> <type_traits> <unordered_map> <utility> <variant> <vector>)

function(pake_precompiled_headers name)
  file(GENERATE OUTPUT ${name}.cpp CONTENT "")
  add_library(${name} OBJECT ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp)
  target_compile_features(${name} PUBLIC cxx_std_23)
  target_link_libraries(${name} PRIVATE Threads::Threads)
  target_precompile_headers(${name} PRIVATE ${ARGN})
endfunction()

if(PAKE_PRECOMPILED_HEADERS)
  find_package(Threads REQUIRED)
  pake_precompiled_headers(pake_precompiled_room ${standard})
  if(PAKE_BUILD_TESTS)
    find_package(GTest REQUIRED)
    pake_precompiled_headers(pake_precompiled_test ${standard} <gmock/gmock.h> <gtest/gtest.h>)
    target_link_libraries(pake_precompiled_test PRIVATE GTest::gmock)
    target_compile_options(pake_precompiled_test PRIVATE ${PAKE_TEST_FLAGS})
  endif()
endif()

function(pake_precompiled target kind)
  if(kind STREQUAL test)
    target_compile_options(${target} PRIVATE ${PAKE_TEST_FLAGS})
  endif()
  if(PAKE_PRECOMPILED_HEADERS)
    target_precompile_headers(${target} REUSE_FROM pake_precompiled_${kind})
  endif()
endfunction()
