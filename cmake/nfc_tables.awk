# SPDX-License-Identifier: Apache-2.0
# awk -v out=DIR -f nfc_tables.awk DerivedNormalizationProps.txt UnicodeData.txt
#
# What Unicode's normalization form C (src/core/nfc.h) needs of the Unicode Character Database. Writes to
# DIR:
#   nfc_pool.inc     code points, one sequence after the other
#   nfc_rows.inc     code point, first in the pool, count: canonical decompositions, whole, sorted
#   nfc_classes.inc  code point, combining class where that is not 0, sorted
#   nfc_pairs.txt    first, second, what they compose to; not sorted

function number(text,    i, value) {
    value = 0
    text = tolower(text)
    for (i = 1; i <= length(text); ++i)
        value = value * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1
    return value
}

# All that a code point decomposes to, as numbers with a space before each.
function decompose(code,    parts, i, n, all) {
    if (!(code in canonical)) return " " code
    n = split(canonical[code], parts, " ")
    all = ""
    for (i = 1; i <= n; ++i) all = all decompose(number(parts[i]))
    return all
}

FNR == 1 { file = FILENAME; sub(/.*\//, "", file) }
/^#/ || /^$/ { next }

file == "DerivedNormalizationProps.txt" {
    if ($0 !~ /; Full_Composition_Exclusion/) next
    split($1, field, /\.\./)
    last = number(field[2] == "" ? field[1] : field[2])
    for (code = number(field[1]); code <= last; ++code) excluded[code] = 1
    next
}

file == "UnicodeData.txt" {
    split($0, field, ";")
    code = number(field[1])
    if (field[4] != 0) print "{.code_point=0x" field[1] ",.number=" field[4] "}," > (out "/nfc_classes.inc")
    if (field[6] != "" && field[6] !~ /^</) {
        canonical[code] = field[6]
        order[++count] = code
    }
    next
}

END {
    place = 0
    for (i = 1; i <= count; ++i) {
        code = order[i]
        size = split(decompose(code), parts, " ")
        for (j = 1; j <= size; ++j) print parts[j] "," > (out "/nfc_pool.inc")
        print "{.code_point=" code ",.first=" place ",.count=" size "}," > (out "/nfc_rows.inc")
        place += size
        n = split(canonical[code], parts, " ")
        if (n == 2 && !(code in excluded))
            print number(parts[1]), number(parts[2]), code > (out "/nfc_pairs.txt")
    }
}
