# One room = one target with its own include directory: a header from upstairs does not compile.
#
#   pake_room(NAME [NOT_INSTALLED] SOURCES src/a.cpp ... HEADERS include/pake/NAME/a.h ... [PUBLIC dep ...] [PRIVATE dep ...])
#   pake_test(NAME SOURCES test/a_test.cpp ... [LINK dep ...] [LABEL label])    one GoogleTest program, run by CTest
#   pake_label_programs(LABEL target ...)    target tests_LABEL builds what the tests of that label run, and nothing else
include_guard()
include(GNUInstallDirs)

function(pake_room name)
  cmake_parse_arguments(PARSE_ARGV 1 ROOM "NOT_INSTALLED" "" "SOURCES;HEADERS;PUBLIC;PRIVATE")
  add_library(pake_${name} ${ROOM_SOURCES})
  add_library(pake::${name} ALIAS pake_${name})
  target_sources(pake_${name} PUBLIC FILE_SET HEADERS BASE_DIRS include FILES ${ROOM_HEADERS})
  target_compile_features(pake_${name} PUBLIC cxx_std_23)
  target_link_libraries(pake_${name}
    PUBLIC ${ROOM_PUBLIC}
    PRIVATE $<BUILD_INTERFACE:pake_warnings> $<BUILD_INTERFACE:pake_internal> ${ROOM_PRIVATE})
  set_target_properties(pake_${name} PROPERTIES EXPORT_NAME ${name} VERIFY_INTERFACE_HEADER_SETS ON)
  if(NOT ROOM_NOT_INSTALLED)
    install(TARGETS pake_${name} EXPORT pake-targets FILE_SET HEADERS)
  endif()
endfunction()

function(pake_test name)
  if(NOT PAKE_BUILD_TESTS)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 TEST "" "LABEL" "SOURCES;LINK")
  add_executable(${name} ${TEST_SOURCES})
  target_link_libraries(${name} PRIVATE pake_warnings pake_internal pake_test_support GTest::gmock GTest::gtest_main ${TEST_LINK})
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT 300 LABELS "${TEST_LABEL}")
  if(TEST_LABEL)
    pake_label_programs(${TEST_LABEL} ${name})
  endif()
endfunction()

function(pake_label_programs label)
  if(NOT TARGET tests_${label})
    add_custom_target(tests_${label})
  endif()
  add_dependencies(tests_${label} ${ARGN})
endfunction()
