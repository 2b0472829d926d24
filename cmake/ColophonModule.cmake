# SPDX-License-Identifier: Apache-2.0
# One static library per module of docs/architecture: every .cc below its folder, no list to maintain.
#
#   colophon_module(NAME DEPENDS other modules LINKS third-party targets)
#
# Third-party libraries are linked PRIVATE: no header of theirs may appear in a module's face.
#
#   colophon_late(NAME CODEC libraries CODEC libraries ...)
#
# Libraries that the module NAME calls and that are loaded while the program runs, by src/NAME/internal/late.h:
# full paths, separated by commas. They give their headers and are not linked.

add_library(colophon_options INTERFACE)
target_include_directories(colophon_options INTERFACE "${CMAKE_SOURCE_DIR}/src")
target_compile_options(colophon_options INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
    # GCC 12 sees overflows in its own std::string where there are none (its bug 105329).
    $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-array-bounds>
    $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-stringop-overflow>
    $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>
    -fno-omit-frame-pointer -fstack-protector-strong
    $<$<BOOL:${COLOPHON_WERROR}>:-Werror>)
target_compile_definitions(colophon_options INTERFACE
    _GLIBCXX_ASSERTIONS COLOPHON_VERSION="${PROJECT_VERSION}" COLOPHON_BUILD="${CMAKE_BUILD_TYPE}")
if(COLOPHON_SANITIZE)
    target_compile_options(colophon_options INTERFACE
        -fsanitize=${COLOPHON_SANITIZE} -fno-sanitize-recover=all)
    target_link_options(colophon_options INTERFACE -fsanitize=${COLOPHON_SANITIZE})
endif()
if(COLOPHON_FUZZ)
    target_compile_options(colophon_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
find_program(COLOPHON_MOLD mold)
if(COLOPHON_MOLD)
    target_link_options(colophon_options INTERFACE -fuse-ld=mold)
endif()

function(colophon_precompile target)
    if(COLOPHON_PCH)
        # What ccache asks of GCC to understand precompiled headers.
        if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
            target_compile_options(${target} PRIVATE -fpch-preprocess)
        endif()
        target_precompile_headers(${target} PRIVATE
            <algorithm> <array> <chrono> <cstdint> <functional> <memory> <optional> <span> <string>
            <string_view> <utility> <variant> <vector>)
    endif()
endfunction()

function(colophon_module name)
    cmake_parse_arguments(ARG "" "" "DEPENDS;LINKS" ${ARGN})
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/${name}/*.cc")
    list(FILTER sources EXCLUDE REGEX "/(main|late_stubs)\\.cc$")
    file(GLOB_RECURSE headers CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/${name}/*.h")
    # Compiled by themselves in check.headers, which those need not be that a source of their name
    # includes first (the rule own-header of tidy): compiling that shows that they stand alone.
    foreach(source IN LISTS sources)
        string(REGEX REPLACE "cc$" "h" own "${source}")
        list(REMOVE_ITEM headers "${own}")
    endforeach()
    if(NOT sources)
        add_library(colophon_${name} INTERFACE)
        return()
    endif()
    add_library(colophon_${name} STATIC ${sources})
    target_sources(colophon_${name} PUBLIC
        FILE_SET HEADERS BASE_DIRS "${CMAKE_SOURCE_DIR}/src" FILES ${headers})
    set_target_properties(colophon_${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
    target_link_libraries(colophon_${name} PUBLIC colophon_options)
    foreach(module ${ARG_DEPENDS})
        target_link_libraries(colophon_${name} PUBLIC colophon_${module})
    endforeach()
    target_link_libraries(colophon_${name} PRIVATE ${ARG_LINKS})
    colophon_precompile(colophon_${name})
endfunction()

function(colophon_late name)
    set(list "${CMAKE_CURRENT_BINARY_DIR}/late/${name}")
    # Whoever only looks at the source, as clang-tidy does, finds a list that is well formed.
    if(NOT EXISTS "${list}/late_symbols.inc")
        file(WRITE "${list}/late_symbols.inc" "LATE_LIBRARY(kPng, \"none\", 0, 1)\nLATE_SYMBOL(none, 0)\n")
    endif()
    add_custom_command(OUTPUT "${list}/late_symbols.inc"
        COMMAND "${CMAKE_SOURCE_DIR}/cmake/late_symbols.sh" "${CMAKE_NM}" "${CMAKE_READELF}"
            "$<TARGET_FILE:colophon_${name}>" "${list}/late_symbols.inc" ${ARGN}
        DEPENDS colophon_${name} "${CMAKE_SOURCE_DIR}/cmake/late_symbols.sh"
        COMMENT "Listing the functions that ${name} calls in libraries loaded late" VERBATIM)
    add_library(colophon_${name}_late STATIC "${CMAKE_SOURCE_DIR}/src/${name}/internal/late_stubs.cc"
        "${list}/late_symbols.inc")
    target_include_directories(colophon_${name}_late PRIVATE "${CMAKE_CURRENT_BINARY_DIR}/late")
    target_link_libraries(colophon_${name}_late PRIVATE colophon_options)
    # Not a dependency of the module's own compilation, which comes first.
    target_link_libraries(colophon_${name} INTERFACE colophon_${name}_late ${CMAKE_DL_LIBS})
endfunction()

# One doctest binary per module, tests/NAME/**/*_test.cc. NAME.fast runs all but the suites whose names
# begin with "slow". Those that SUITES lists are a test each, NAME.slow_WORD for "slow WORD", so that
# they share the processors; NAME.slow runs what is left. SUPPORT names further files of tests/support, INPUTS
# files that the test runs or reads besides tests/ and docs/: slow tests that passed with the same program and
# the same data are not run again, and ctest says so.
function(colophon_test name)
    cmake_parse_arguments(ARG "" "" "DEPENDS;INPUTS;LINKS;SUITES;SUPPORT" ${ARGN})
    list(TRANSFORM ARG_SUPPORT PREPEND "${CMAKE_SOURCE_DIR}/tests/support/")
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/${name}/*_test.cc")
    if(NOT sources)
        return()
    endif()
    add_executable(${name}_test ${sources} "${CMAKE_SOURCE_DIR}/tests/support/doctest_main.cc"
        "${CMAKE_SOURCE_DIR}/tests/support/sample_files.cc"
        "${CMAKE_SOURCE_DIR}/tests/support/tools.cc" ${ARG_SUPPORT})
    target_include_directories(${name}_test PRIVATE "${CMAKE_SOURCE_DIR}/tests")
    target_compile_definitions(${name}_test PRIVATE
        COLOPHON_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    target_link_libraries(${name}_test PRIVATE colophon_options)
    foreach(module ${ARG_DEPENDS})
        target_link_libraries(${name}_test PRIVATE colophon_${module})
    endforeach()
    target_link_libraries(${name}_test PRIVATE ${ARG_LINKS})
    set(unless_passed "${CMAKE_SOURCE_DIR}/tools/run_unless_passed.sh" "${CMAKE_BINARY_DIR}/passed"
        ${ARG_INPUTS} --)
    add_test(NAME ${name}.fast
        COMMAND ${unless_passed} $<TARGET_FILE:${name}_test> "--test-suite-exclude=slow*")
    set_tests_properties(${name}.fast PROPERTIES LABELS "fast" TIMEOUT 600 COST 50
        SKIP_REGULAR_EXPRESSION "^cached:")
    foreach(suite ${ARG_SUITES})
        string(REPLACE " " "_" suffix "${suite}")
        add_test(NAME ${name}.${suffix}
            COMMAND ${unless_passed} $<TARGET_FILE:${name}_test> "--test-suite=${suite}")
        list(APPEND slow_tests ${name}.${suffix})
    endforeach()
    list(JOIN ARG_SUITES "," listed)
    add_test(NAME ${name}.slow
        COMMAND ${unless_passed} $<TARGET_FILE:${name}_test> "--test-suite=slow*"
            "--test-suite-exclude=${listed}")
    list(APPEND slow_tests ${name}.slow)
    # The long ones begin first, so that the short ones fill the gaps.
    set_tests_properties(${slow_tests} PROPERTIES LABELS "slow" TIMEOUT 1800 COST 100
        SKIP_REGULAR_EXPRESSION "^cached:")
endfunction()
