// Copies of short rows without scalar tails: the last vector overlaps the one before.
// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string.h>

#include "ck_math.h"

typedef float ck_vector4 __attribute__((vector_size(16), aligned(4)));
typedef float ck_vector8 __attribute__((vector_size(32), aligned(4)));
typedef float ck_vector16 __attribute__((vector_size(64), aligned(4)));

/// to[i] = from[i] + add; the rows don't overlap.
CK_INLINE void ck_copy_row(float *to, const float *from, long n, float add) {
    if (n >= 16) {
        for (long i = 0; i + 16 <= n; i += 16)
            *(ck_vector16 *)(to + i) = *(const ck_vector16 *)(from + i) + add;
        *(ck_vector16 *)(to + n - 16) = *(const ck_vector16 *)(from + n - 16) + add;
    } else if (n >= 8) {
        *(ck_vector8 *)to = *(const ck_vector8 *)from + add;
        *(ck_vector8 *)(to + n - 8) = *(const ck_vector8 *)(from + n - 8) + add;
    } else if (n >= 4) {
        *(ck_vector4 *)to = *(const ck_vector4 *)from + add;
        *(ck_vector4 *)(to + n - 4) = *(const ck_vector4 *)(from + n - 4) + add;
    } else {
        for (long i = 0; i < n; i++) to[i] = from[i] + add;
    }
}

/// to[i] = row[start + 2i] for a row of `width` floats; nothing outside the row is read.
CK_INLINE void ck_copy_every_second(float *to, const float *row, long start, long n, long width) {
    // Pairs are read so that the last one ends with the last float wanted; from 0 on, one more is read.
    long odd = start >= 1;
    const float *from = row + start - odd;
    if (n < 8 || (!odd && 2 * n > width)) {
        for (long i = 0; i < n; i++) to[i] = row[start + 2 * i];
        return;
    }
    for (long i = 0;; i = i + 8 < n - 8 ? i + 8 : n - 8) {
        ck_vector8 a = *(const ck_vector8 *)(from + 2 * i);
        ck_vector8 b = *(const ck_vector8 *)(from + 2 * i + 8);
        *(ck_vector8 *)(to + i) =
            odd ? __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15)
                : __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14);
        if (i >= n - 8) break;
    }
}
