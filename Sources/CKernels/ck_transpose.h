// Blocks of 16 × 16 floats turned in registers. SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ck_math.h"

typedef float ck_lanes16 __attribute__((vector_size(64)));
typedef float ck_lanes16_unaligned __attribute__((vector_size(64), aligned(4)));

#define CK_LOW(a, b)                                                                        \
    __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define CK_HIGH(a, b)                                                                        \
    __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)

/// to[j·to_step + i] = from[i·from_step + j], i and j < 16. Inline in a CK_KERNEL only, so that it gets
/// the vectors of that kernel.
CK_INLINE void ck_transpose16(const float *from, long from_step, float *to, long to_step) {
    ck_lanes16 a[16], b[16];
#pragma clang loop unroll(full)
    for (int i = 0; i < 16; i++) a[i] = *(const ck_lanes16_unaligned *)(from + i * from_step);
    // Four perfect shuffles of the rows: interleaving row i with row i + 8 turns the bits of the index
    // (row, column) by one place each time.
#pragma clang loop unroll(full)
    for (int round = 0; round < 4; round++) {
#pragma clang loop unroll(full)
        for (int i = 0; i < 8; i++) {
            b[2 * i] = CK_LOW(a[i], a[i + 8]);
            b[2 * i + 1] = CK_HIGH(a[i], a[i + 8]);
        }
#pragma clang loop unroll(full)
        for (int i = 0; i < 16; i++) a[i] = b[i];
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < 16; i++) *(ck_lanes16_unaligned *)(to + i * to_step) = a[i];
}

#undef CK_LOW
#undef CK_HIGH
