# One room = one target with its own include directory: a header from upstairs does not compile.
#
#   pake_room(NAME SOURCES src/a.cpp ... HEADERS include/pake/NAME/a.h ... [INTERNAL include/pake/NAME/b.h ...]
#             [PUBLIC dep ...] [PRIVATE dep ...])
#       HEADERS are doors: they are installed. INTERNAL ones are for other rooms alone.
#   pake_test(NAME SOURCES test/a_test.cpp ... [LINK dep ...] [LABEL label] [BUSY])    one GoogleTest program, run by CTest;
#       BUSY: its own sources take much of its time, so they are compiled as the rooms are, without PAKE_TEST_FLAGS
#   pake_label_programs(LABEL target ...)    target tests_LABEL builds what the tests of that label run, and nothing else
#   pake_library(TARGET EXPORT_NAME name ROOMS room ... [PUBLIC dep ...] NAMESPACE mangled
#             [HEADERS_DIR dir HEADERS file ...])
#       Rooms together, as others link them: static, or shared with BUILD_SHARED_LIBS.
include_guard()
include(GNUInstallDirs)
include(PakePrecompiled)

function(pake_room name)
  cmake_parse_arguments(PARSE_ARGV 1 ROOM "" "" "SOURCES;HEADERS;INTERNAL;PUBLIC;PRIVATE")
  add_library(pake_${name} STATIC ${ROOM_SOURCES})
  add_library(pake::${name} ALIAS pake_${name})
  target_sources(pake_${name} PUBLIC FILE_SET HEADERS BASE_DIRS include FILES ${ROOM_HEADERS} ${ROOM_INTERNAL})
  target_compile_features(pake_${name} PUBLIC cxx_std_23)
  target_link_libraries(pake_${name}
    PUBLIC ${ROOM_PUBLIC}
    PRIVATE $<BUILD_INTERFACE:pake_warnings> $<BUILD_INTERFACE:pake_internal> ${ROOM_PRIVATE})
  # Nothing leaves a library of ours or a user's own but what pake/base/export.h marks.
  set_target_properties(pake_${name} PROPERTIES
    VERIFY_INTERFACE_HEADER_SETS ON
    CXX_VISIBILITY_PRESET hidden
    C_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON)
  pake_precompiled(pake_${name} room)
  if(BUILD_SHARED_LIBS)
    set_target_properties(pake_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    target_compile_definitions(pake_${name} PRIVATE PAKE_SHARED)
  endif()
  list(TRANSFORM ROOM_HEADERS PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
  set_target_properties(pake_${name} PROPERTIES PAKE_DOORS "${ROOM_HEADERS}" PAKE_INCLUDES ${CMAKE_CURRENT_SOURCE_DIR}/include)
endfunction()

function(pake_library target)
  cmake_parse_arguments(PARSE_ARGV 1 LIBRARY "" "EXPORT_NAME;HEADERS_DIR;NAMESPACE" "ROOMS;PUBLIC;HEADERS")
  add_library(${target})
  set(sets)
  foreach(room IN LISTS LIBRARY_ROOMS)
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:pake_${room}>)
    get_target_property(doors pake_${room} PAKE_DOORS)
    get_target_property(includes pake_${room} PAKE_INCLUDES)
    target_sources(${target} PUBLIC FILE_SET ${room} TYPE HEADERS BASE_DIRS ${includes} FILES ${doors})
    list(APPEND sets FILE_SET ${room})
    # What the room links and is no room itself.
    get_target_property(links pake_${room} LINK_LIBRARIES)
    list(FILTER links EXCLUDE REGEX "^pake::|BUILD_INTERFACE|^Threads::")
    target_link_libraries(${target} PRIVATE ${links})
  endforeach()
  if(LIBRARY_HEADERS)
    list(TRANSFORM LIBRARY_HEADERS PREPEND ${LIBRARY_HEADERS_DIR}/)
    target_sources(${target} PUBLIC FILE_SET umbrella TYPE HEADERS BASE_DIRS ${LIBRARY_HEADERS_DIR} FILES ${LIBRARY_HEADERS})
    list(APPEND sets FILE_SET umbrella)
  endif()
  target_compile_features(${target} PUBLIC cxx_std_23)
  target_link_libraries(${target} PUBLIC ${LIBRARY_PUBLIC})
  set_target_properties(${target} PROPERTIES
    EXPORT_NAME ${LIBRARY_EXPORT_NAME}
    VERSION ${PROJECT_VERSION}
    SOVERSION ${PAKE_SOVERSION}
    LINKER_LANGUAGE CXX)
  if(BUILD_SHARED_LIBS)
    # Instances of the standard library's templates that were made here are no interface.
    set(script ${CMAKE_CURRENT_BINARY_DIR}/${target}.map)
    set(symbols)
    foreach(kind N NK NO NKO NR NKR TIN TSN TVN) # functions by their qualifiers; type information, virtual tables
      string(APPEND symbols " _Z${kind}${LIBRARY_NAMESPACE}*;")
    endforeach()
    file(CONFIGURE OUTPUT ${script} CONTENT "{ global:@symbols@ local: *; };\n" @ONLY)
    target_link_options(${target} PRIVATE LINKER:--version-script=${script} LINKER:--no-undefined)
    set_target_properties(${target} PROPERTIES LINK_DEPENDS ${script})
  endif()
  install(TARGETS ${target} EXPORT ${target}-targets
    LIBRARY OPTIONAL COMPONENT library NAMELINK_COMPONENT development
    ARCHIVE OPTIONAL COMPONENT development
    ${sets})
endfunction()

function(pake_test name)
  if(NOT PAKE_BUILD_TESTS)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 TEST "BUSY" "LABEL" "SOURCES;LINK")
  add_executable(${name} ${TEST_SOURCES})
  target_link_libraries(${name} PRIVATE pake_warnings pake_internal pake_test_support GTest::gmock GTest::gtest_main ${TEST_LINK})
  if(TEST_BUSY)
    pake_precompiled(${name} room)
  else()
    pake_precompiled(${name} test)
  endif()
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
