# SPDX-License-Identifier: Apache-2.0
# cmake -D IN=FILE -D OUT=FILE -P EmbedLines.cmake: the lines of a text as C++ string literals with
# commas between them.
file(READ "${IN}" text)
string(REGEX REPLACE "\n$" "" text "${text}")
string(REPLACE "\n" ")~\",\nR\"~(" text "${text}")
file(WRITE "${OUT}" "R\"~(${text})~\"\n")
