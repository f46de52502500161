# Installs a build into an empty prefix, then builds and runs the consumer against that prefix alone.
#
#   cmake -DBUILD=... -DWORK=... -DAPPS=... -DCXX=... -DCXX_FLAGS=... -P run.cmake
#
# The consumer is compiled as the build was: a sanitized library needs a sanitized program.
function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(REMOVE_RECURSE ${WORK})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/prefix)
if(APPS)
  foreach(file man/man1/pake.1 bash-completion/completions/pake zsh/site-functions/_pake fish/vendor_completions.d/pake.fish)
    file(SIZE ${WORK}/prefix/share/${file} size)
  endforeach()
endif()
run(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR} -B ${WORK}/build -G Ninja
  -DCMAKE_PREFIX_PATH=${WORK}/prefix -DCMAKE_CXX_COMPILER=${CXX} -DCMAKE_CXX_FLAGS=${CXX_FLAGS})
run(${CMAKE_COMMAND} --build ${WORK}/build)
run(${WORK}/build/consumer)
