# Installs BUILD_DIR into WORK_DIR, then configures, builds and runs the project in CONSUMER_DIR against it. WORK_DIR has
# a space in its name: installed packages must bear it.
set(work "${WORK_DIR} here")
file(REMOVE_RECURSE "${work}")

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    message("${output}")
    message(FATAL_ERROR "${ARGN}: exit ${status}")
  endif()
endfunction()

run(${CMAKE_COMMAND} --install "${BUILD_DIR}" --prefix "${work}/prefix")
run(${CMAKE_COMMAND} -S "${CONSUMER_DIR}" -B "${work}/build" -G "${GENERATOR}" "-DCMAKE_PREFIX_PATH=${work}/prefix"
    "-DCMAKE_CXX_COMPILER=${CXX}" "-DCMAKE_CXX_FLAGS=${CXX_FLAGS}")
run(${CMAKE_COMMAND} --build "${work}/build")
run("${work}/build/consumer")
if(EXISTS "${work}/prefix/bin/tokenomics")
  run("${work}/prefix/bin/tokenomics" --version)
endif()
file(REMOVE_RECURSE "${work}")
