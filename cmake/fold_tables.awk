# SPDX-License-Identifier: Apache-2.0
# awk -v out=DIR -f fold_tables.awk UnicodeData.txt CaseFolding.txt DerivedCoreProperties.txt
#     Unihan_Variants.txt Unihan_NumericValues.txt Unihan_Readings.txt
#
# What each character is compared as when texts are reviewed (src/review/fold.h), from the Unicode
# Character Database. Writes to DIR:
#   fold_pool.inc    code points, one sequence after the other
#   fold_rows.inc    {level, from, first in the pool, count}, by level and code point
#   fold_classes.inc {first, last, class}: 1 nobody sees it, 2 it separates

function number(text,    i, value) {
    value = 0
    text = tolower(text)
    for (i = 1; i <= length(text); ++i)
        value = value * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1
    return value
}

# The last file of the path tells which it is.
FNR == 1 { file = FILENAME; sub(/.*\//, "", file) }
/^#/ || /^$/ { next }

file == "UnicodeData.txt" {
    split($0, field, ";")
    code = number(field[1])
    if (field[2] ~ /, (First|Last)>/) next  # ideographs, syllables, private use
    category[code] = field[3]
    # Hangul and kana are letters of their own with their marks; accents on other letters are not.
    compatible = field[6] ~ /^</
    if (field[6] != "" && (compatible || code < 12288)) {
        text = field[6]
        sub(/^<[^>]*> */, "", text)
        decomposed[code] = text
    }
    if (field[3] == "Nd") decimal[code] = field[7] + 0
    next
}

file == "CaseFolding.txt" {
    split($0, field, /; */)
    if (field[2] == "C" || field[2] == "F") cased[number(field[1])] = field[3]
    next
}

file == "DerivedCoreProperties.txt" {
    if ($0 !~ /; Default_Ignorable_Code_Point/) next
    split($1, field, /\.\./)
    last = number(field[2] == "" ? field[1] : field[2])
    for (code = number(field[1]); code <= last; ++code) ignorable[code] = 1
    next
}

file == "Unihan_Variants.txt" {
    code = number(substr($1, 3))
    if ($2 == "kSimplifiedVariant") {
        # A character that may also stand for itself comes first; the other one is what it hides as.
        for (i = 3; i <= NF; ++i) if ($i != $1) { simple[code] = number(substr($i, 3)); break }
    }
    if ($2 == "kSpoofingVariant") {
        variant = $3
        sub(/<.*/, "", variant)
        variant = number(substr(variant, 3))
        if (variant < code) look[code] = variant
    }
    next
}

file == "Unihan_NumericValues.txt" {
    # Only digits that are in use: 一 to 九, 壹 to 玖.
    if (($2 == "kPrimaryNumeric" || $2 == "kAccountingNumeric") && $3 + 0 < 10)
        digit[number(substr($1, 3))] = $3 + 0
    next
}

file == "Unihan_Readings.txt" {
    if ($2 != "kMandarin") next
    reading = $3
    gsub(/ā|á|ǎ|à/, "a", reading)
    gsub(/ē|é|ě|è|ê̄|ế|ê̌|ề|ê/, "e", reading)
    gsub(/ī|í|ǐ|ì/, "i", reading)
    gsub(/ō|ó|ǒ|ò/, "o", reading)
    gsub(/ū|ú|ǔ|ù|ü|ǖ|ǘ|ǚ|ǜ/, "u", reading)
    gsub(/ń|ň|ǹ/, "n", reading)
    gsub(/ḿ/, "m", reading)
    gsub(/[^a-z]/, "", reading)
    if (reading != "") spoken[number(substr($1, 3))] = reading
    next
}

# Compatible forms, case, accents and traditional characters, until nothing changes; "" when
# nothing is left. The sequence as decimal numbers with spaces.
function folded(code, depth,    parts, count, i, result, piece) {
    if (depth > 8) return code
    if (code in ignorable || category[code] ~ /^M[ne]$/) return ""
    if (code in decimal) return 48 + decimal[code]
    if (code in squared) return squared[code]
    if (code in decomposed) {
        count = split(decomposed[code], parts, " ")
    } else if (code in cased) {
        count = split(cased[code], parts, " ")
    } else if (code in simple) {
        return folded(simple[code], depth + 1)
    } else {
        return code
    }
    result = ""
    for (i = 1; i <= count; ++i) {
        piece = folded(number(parts[i]), depth + 1)
        if (piece != "") result = result == "" ? piece : result " " piece
    }
    return result
}

function row(level, code, sequence,    parts, count, i) {
    count = split(sequence, parts, " ")
    if (count > 8) return
    for (i = 1; i <= count; ++i) print parts[i] "," > (out "/fold_pool.inc")
    printf "{%d, %d, %d, %d},\n", level, code, pool, count > (out "/fold_rows.inc")
    pool += count
}

function class_of(code) {
    if (code in ignorable) return 1
    if (category[code] ~ /^M[ne]$/) return 1
    if (category[code] == "Cf" || (category[code] == "Cc" && code != 9 && code != 10 && code != 13)) return 1
    if (category[code] ~ /^[PSZ]/ || category[code] == "Cc") return 2
    return 0
}

function ranges(    code, first, before, now) {
    before = 0
    for (code = 0; code <= 1114112; ++code) {
        now = code == 1114112 ? 0 : class_of(code)
        if (now == before) continue
        if (before) printf "{%d, %d, %d},\n", first, code - 1, before > (out "/fold_classes.inc")
        first = code
        before = now
    }
}

END {
    # Letters in black circles and squares, and the halves of flags, have no decomposition.
    for (i = 0; i < 26; ++i) squared[127312 + i] = squared[127344 + i] = squared[127462 + i] = 97 + i
    pool = 0
    for (code = 0; code <= 205743; ++code) {
        text = folded(code, 0)
        if (text != code "" && class_of(code) != 1) row(0, code, text)
        plain[code] = text
    }
    # Latin letters and digits by what looks like them.
    count = split("1072 97 1077 101 1086 48 1088 112 1089 99 1091 121 1093 120 1110 49 1112 106 " \
        "1109 115 1211 104 1281 100 1307 113 1309 119 " \
        "945 97 949 101 953 49 954 107 957 118 959 48 961 112 964 116 965 117 967 120 " \
        "111 48 108 49 105 49 33 49 124 49 64 97 36 115 12295 48 38646 48", pair, " ")
    for (i = 1; i < count; i += 2) alike[pair[i]] = pair[i + 1]
    for (code = 33; code <= 205743; ++code) {
        to = code
        if (code in look) to = plain[look[code]]
        if (to in digit) to = 48 + digit[to]
        if (to in alike) to = alike[to]
        if (to != code && to != "" && plain[code] == code "") row(1, code, to)
    }
    for (code = 13312; code <= 205743; ++code) {
        if (!(code in spoken) || plain[code] != code "") continue
        text = ""
        for (i = 1; i <= length(spoken[code]); ++i)
            text = text " " (96 + index("abcdefghijklmnopqrstuvwxyz", substr(spoken[code], i, 1)))
        row(2, code, text)
    }
    ranges()
}
