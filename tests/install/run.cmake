# Installs a build into an empty prefix, then builds and runs the consumer against that prefix alone: as a CMake project
# with each compiler, and by pkg-config.
#
#   cmake -DBUILD=... -DWORK=... -DEXAMPLES=... -DCOMPILERS=clang++-19,g++-12 -DFLAGS=... -DSHARED=... -DNET=... -P run.cmake
#
# FLAGS are those of the build: a sanitized library needs a sanitized program.
cmake_minimum_required(VERSION 3.25) # IN_LIST, which a script of its own does not know otherwise
function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# What a library shows to whoever links it, demangled, one symbol a line.
function(exported library variable)
  execute_process(COMMAND nm --dynamic --defined-only --demangle ${library} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
  string(REPLACE ";" "," symbols "${symbols}")
  string(REGEX REPLACE "[0-9a-f]* [A-Za-z] " "" symbols "${symbols}")
  set(${variable} "${symbols}" PARENT_SCOPE)
endfunction()

function(must_not_export library pattern)
  exported(${library} symbols)
  string(REGEX MATCHALL "[^\n]*${pattern}[^\n]*" found "${symbols}")
  if(found)
    list(LENGTH found count)
    list(GET found 0 first)
    message(FATAL_ERROR "${library} exports ${count} symbols that it should not, such as ${first}")
  endif()
endfunction()

file(REMOVE_RECURSE ${WORK})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/prefix)
file(GLOB_RECURSE private RELATIVE ${WORK}/prefix/include
  ${WORK}/prefix/include/*rsa* ${WORK}/prefix/include/*aes* ${WORK}/prefix/include/*aead* ${WORK}/prefix/include/*impl*
  ${WORK}/prefix/include/*/record.h ${WORK}/prefix/include/*/frame.h)
if(private)
  message(FATAL_ERROR "no doors, and installed: ${private}")
endif()

# What is installed is what a user reaches by the headers that he includes first (pake/*.h), and one call for programs.
file(GLOB open RELATIVE ${WORK}/prefix/include ${WORK}/prefix/include/pake/*.h)
set(reached pake/crypto/openssl_memory.h)
while(open)
  list(POP_FRONT open header)
  if(header IN_LIST reached)
    continue()
  endif()
  list(APPEND reached ${header})
  file(STRINGS ${WORK}/prefix/include/${header} includes REGEX "^#include \"pake/")
  list(TRANSFORM includes REPLACE "^#include \"(.+)\".*" "\\1")
  list(APPEND open ${includes})
endwhile()
file(GLOB_RECURSE unreached RELATIVE ${WORK}/prefix/include ${WORK}/prefix/include/pake/*.h)
list(REMOVE_ITEM unreached ${reached})
if(unreached)
  message(FATAL_ERROR "installed, and no header of pake/*.h leads to: ${unreached}")
endif()

# What a header declares is exported, or a program that links the shared library fails.
file(GLOB_RECURSE doors ${WORK}/prefix/include/pake/*/*.h)
foreach(door IN LISTS doors)
  file(READ ${door} text)
  if(text MATCHES "\nnamespace pake" AND NOT text MATCHES "\nPAKE_EXPORT_BEGIN\n.*\nPAKE_EXPORT_END\n")
    message(FATAL_ERROR "${door} has no PAKE_EXPORT_BEGIN and PAKE_EXPORT_END around its declarations")
  endif()
endforeach()

string(REPLACE "," ";" COMPILERS "${COMPILERS}")
foreach(compiler IN LISTS COMPILERS)
  get_filename_component(name ${compiler} NAME)
  string(REPLACE "+" "x" directory ${name})
  set(net ${NET})
  if(name MATCHES "^g\\+\\+")
    set(net OFF) # GCC 12 destroys temporaries of a coroutine twice
  endif()
  run(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR} -B ${WORK}/${directory} -G Ninja -DINSTALLED=${WORK}/prefix -DEXAMPLES=${EXAMPLES}
    -DNET=${net} -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH=${WORK}/prefix -DCMAKE_CXX_COMPILER=${compiler} -DCMAKE_CXX_FLAGS=${FLAGS})
  run(${CMAKE_COMMAND} --build ${WORK}/${directory})
  run(${CMAKE_CTEST_COMMAND} --test-dir ${WORK}/${directory} --output-on-failure --no-tests=error)
  if(NOT FLAGS MATCHES sanitize)
    must_not_export(${WORK}/${directory}/libmine.so "pake|asio")
  endif()

  set(ENV{PKG_CONFIG_PATH} ${WORK}/prefix/lib/pkgconfig)
  set(static --static)
  set(run_path)
  if(SHARED)
    set(static)
    set(run_path -Wl,-rpath,${WORK}/prefix/lib)
  endif()
  execute_process(COMMAND pkg-config ${static} --cflags --libs pake
    OUTPUT_VARIABLE options OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  separate_arguments(options UNIX_COMMAND "${options}")
  separate_arguments(flags UNIX_COMMAND "${FLAGS}")
  run(${compiler} -std=c++23 ${flags} ${CMAKE_CURRENT_LIST_DIR}/consumer.cpp -o ${WORK}/by_pkg_config ${options} ${run_path})
  run(${WORK}/by_pkg_config)
  if(net)
    execute_process(COMMAND pkg-config ${static} --cflags --libs pake-net
      OUTPUT_VARIABLE options OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
    separate_arguments(options UNIX_COMMAND "${options}")
    run(${compiler} -std=c++23 ${flags} ${CMAKE_CURRENT_LIST_DIR}/net_consumer.cpp -o ${WORK}/net_by_pkg_config
      ${options} ${run_path})
    run(${WORK}/net_by_pkg_config)
  endif()
endforeach()

if(SHARED)
  foreach(library pake pake-net)
    if(NOT EXISTS ${WORK}/prefix/lib/lib${library}.so.0)
      message(FATAL_ERROR "lib${library}.so.0 is missing: the name that programs are linked with")
    endif()
    # The public interface and nothing else: no room's inside, no other library's templates.
    must_not_export(${WORK}/prefix/lib/lib${library}.so
      "^asio|^std::|crypto::Rsa|pake::eke|::(State|Impl|Run|Counter)::|crypto::aes128|crypto::base64|pake::Reader|pake::Writer")
  endforeach()
endif()
