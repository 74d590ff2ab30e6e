// The transforms of F(4 × 4, 3 × 3), sixteen tiles at a time. SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ck_math.h"
#include "ck_rows.h"

typedef float ck_lanes8 __attribute__((vector_size(32)));
typedef float ck_lanes16 __attribute__((vector_size(64)));

// A tile is 4 × 4 outputs, a quad four tiles beside one another (16 pixels), a block the quads whose
// products are computed together: their transformed inputs stay in the second-level cache.
enum { TILE = 4, QUAD = 16, BLOCK = 8, POINTS = 36 };

// Polynomials are evaluated at 0, ±5/8, ±3/2 and ∞ (Toom–Cook). These points keep the error of a sum
// near that of a direct one (1.5×; the usual 0, ±1, ±2 have 3×), and their products are short in binary.
#define CK_A 0.625f
#define CK_B 1.5f
#define CK_A2 (CK_A * CK_A)
#define CK_B2 (CK_B * CK_B)

// t = Bᵀ d.
CK_INLINE void ck_input_points(const ck_lanes16 d[6], ck_lanes16 t[6]) {
    ck_lanes16 even_a = d[4] - CK_B2 * d[2], odd_a = d[3] - CK_B2 * d[1];
    ck_lanes16 even_b = d[4] - CK_A2 * d[2], odd_b = d[3] - CK_A2 * d[1];
    t[0] = CK_A2 * CK_B2 * d[0] + (d[4] - (CK_A2 + CK_B2) * d[2]);
    t[1] = even_a + CK_A * odd_a;
    t[2] = even_a - CK_A * odd_a;
    t[3] = even_b + CK_B * odd_b;
    t[4] = even_b - CK_B * odd_b;
    t[5] = CK_A2 * CK_B2 * d[1] + (d[5] - (CK_A2 + CK_B2) * d[3]);
}

// y = Aᵀ m.
CK_INLINE void ck_output_points(const ck_lanes16 m[6], ck_lanes16 y[4]) {
    ck_lanes16 even_a = m[1] + m[2], odd_a = m[1] - m[2];
    ck_lanes16 even_b = m[3] + m[4], odd_b = m[3] - m[4];
    y[0] = m[0] + even_a + even_b;
    y[1] = CK_A * odd_a + CK_B * odd_b;
    y[2] = CK_A2 * even_a + CK_B2 * even_b;
    y[3] = m[5] + CK_A2 * CK_A * odd_a + CK_B2 * CK_B * odd_b;
}

// m = A y, the adjoint of Aᵀ.
CK_INLINE void ck_gradient_points(const ck_lanes16 y[4], ck_lanes16 m[6]) {
    ck_lanes16 even_a = y[0] + CK_A2 * y[2], odd_a = CK_A * y[1] + CK_A2 * CK_A * y[3];
    ck_lanes16 even_b = y[0] + CK_B2 * y[2], odd_b = CK_B * y[1] + CK_B2 * CK_B * y[3];
    m[0] = y[0];
    m[1] = even_a + odd_a;
    m[2] = even_a - odd_a;
    m[3] = even_b + odd_b;
    m[4] = even_b - odd_b;
    m[5] = y[3];
}

#define CK_AT_0 (1 / (CK_A2 * CK_B2))
#define CK_AT_A (1 / (2 * CK_A2 * (CK_A2 - CK_B2)))
#define CK_AT_B (1 / (2 * CK_B2 * (CK_B2 - CK_A2)))

// g = Gᵀ u, the adjoint of G.
CK_INLINE void ck_kernel_taps(const ck_lanes16 u[6], ck_lanes16 g[3]) {
    ck_lanes16 even_a = CK_AT_A * (u[1] + u[2]), odd_a = CK_AT_A * CK_A * (u[1] - u[2]);
    ck_lanes16 even_b = CK_AT_B * (u[3] + u[4]), odd_b = CK_AT_B * CK_B * (u[3] - u[4]);
    g[0] = CK_AT_0 * u[0] + even_a + even_b;
    g[1] = odd_a + odd_b;
    g[2] = CK_A2 * even_a + CK_B2 * even_b + u[5];
}

// u = G g.
CK_INLINE void ck_weight_points(const ck_lanes16 g[3], ck_lanes16 u[6]) {
    ck_lanes16 even_a = CK_AT_A * (g[0] + CK_A2 * g[2]), odd_a = CK_AT_A * CK_A * g[1];
    ck_lanes16 even_b = CK_AT_B * (g[0] + CK_B2 * g[2]), odd_b = CK_AT_B * CK_B * g[1];
    u[0] = CK_AT_0 * g[0];
    u[1] = even_a + odd_a;
    u[2] = even_a - odd_a;
    u[3] = even_b + odd_b;
    u[4] = even_b - odd_b;
    u[5] = g[2];
}

/// Tap t of eight kernels, nine floats from rows[i] on each, to lane i of taps[t].
CK_INLINE void ck_load_kernels(const float *const rows[8], ck_lanes8 taps[9]) {
    ck_lanes8 r[8], pairs[8], fours[8];
#define CK_PICK(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i++) r[i] = *(const ck_vector8 *)rows[i];
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i += 2) {
        pairs[i] = CK_PICK(r[i], r[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
        pairs[i + 1] = CK_PICK(r[i], r[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i += 4)
#pragma clang loop unroll(full)
        for (int k = 0; k < 2; k++) {
            fours[i + 2 * k] =
                CK_PICK(pairs[i + k], pairs[i + 2 + k], 0, 1, 8, 9, 4, 5, 12, 13);
            fours[i + 2 * k + 1] =
                CK_PICK(pairs[i + k], pairs[i + 2 + k], 2, 3, 10, 11, 6, 7, 14, 15);
        }
#pragma clang loop unroll(full)
    for (int t = 0; t < 4; t++) {
        taps[t] = CK_PICK(fours[t], fours[4 + t], 0, 1, 2, 3, 8, 9, 10, 11);
        taps[4 + t] = CK_PICK(fours[t], fours[4 + t], 4, 5, 6, 7, 12, 13, 14, 15);
    }
    taps[8] = (ck_lanes8){rows[0][8], rows[1][8], rows[2][8], rows[3][8],
                          rows[4][8], rows[5][8], rows[6][8], rows[7][8]};
#undef CK_PICK
}

/// Sixteen kernels to to[point · stride], all or the first eight lanes of each.
CK_INLINE void ck_transform_weights(const ck_lanes16 taps[9], float *to, long stride, int half) {
    ck_lanes16 columns[6][3];
#pragma clang loop unroll(full)
    for (int v = 0; v < 3; v++) {
        ck_lanes16 g[3], u[6];
        for (int i = 0; i < 3; i++) g[i] = taps[i * 3 + v];
        ck_weight_points(g, u);
        for (int i = 0; i < 6; i++) columns[i][v] = u[i];
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < 6; i++) {
        ck_lanes16 u[6];
        ck_weight_points(columns[i], u);
        for (int j = 0; j < 6; j++, to += stride)
            if (half) *(ck_vector8 *)to = __builtin_shufflevector(u[j], u[j], 0, 1, 2, 3, 4, 5, 6, 7);
            else *(ck_vector16 *)to = u[j];
    }
}

/// Pixel 4t + k of four quads to lane t of d[k].
CK_INLINE void ck_deal_tiles(const ck_lanes16 quads[4], ck_lanes16 d[4]) {
#define CK_PAIR(a, b, k)                                                                       \
    __builtin_shufflevector(a, b, k, 4 + k, 8 + k, 12 + k, 16 + k, 20 + k, 24 + k, 28 + k,       \
                            k + 1, 5 + k, 9 + k, 13 + k, 17 + k, 21 + k, 25 + k, 29 + k)
#define CK_LOW(a, b)                                                                           \
    __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23)
#define CK_HIGH(a, b)                                                                          \
    __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31)
    ck_lanes16 a = CK_PAIR(quads[0], quads[1], 0), b = CK_PAIR(quads[2], quads[3], 0);
    d[0] = CK_LOW(a, b);
    d[1] = CK_HIGH(a, b);
    a = CK_PAIR(quads[0], quads[1], 2);
    b = CK_PAIR(quads[2], quads[3], 2);
    d[2] = CK_LOW(a, b);
    d[3] = CK_HIGH(a, b);
#undef CK_PAIR
#undef CK_LOW
#undef CK_HIGH
}

/// Sixteen tiles, four each from pixels source[q] on in rows of pitch[q], to to[point · stride].
/// Twenty floats of each row are read.
CK_INLINE void ck_transform_inputs(const float *const source[4], const long pitch[4], float *to,
                                   long stride) {
    ck_lanes16 rows[6][6];
#pragma clang loop unroll(full)
    for (int r = 0; r < 6; r++) {
        ck_lanes16 p[4], n[4], d[6];
#pragma clang loop unroll(full)
        for (int q = 0; q < 4; q++) {
            p[q] = *(const ck_vector16 *)(source[q] + r * pitch[q]);
            n[q] = *(const ck_vector16 *)(source[q] + r * pitch[q] + 4);
        }
        ck_deal_tiles(p, d);
        ck_lanes16 next[4];
        ck_deal_tiles(n, next);
        d[4] = next[0];
        d[5] = next[1];
        ck_input_points(d, rows[r]);
    }
#pragma clang loop unroll(full)
    for (int j = 0; j < 6; j++) {
        ck_lanes16 d[6], t[6];
        for (int i = 0; i < 6; i++) d[i] = rows[i][j];
        ck_input_points(d, t);
        for (int i = 0; i < 6; i++) *(ck_vector16 *)(to + (i * 6 + j) * stride) = t[i];
    }
}

/// Sixteen tiles from sums[point · stride] to rows of four quads, with a bias.
CK_INLINE void ck_transform_outputs(const float *sums, long stride, float bias,
                                    float pixels[4][4][16]) {
    ck_lanes16 columns[4][6];
#pragma clang loop unroll(full)
    for (int j = 0; j < 6; j++) {
        ck_lanes16 m[6], y[4];
        for (int i = 0; i < 6; i++) m[i] = *(const ck_vector16 *)(sums + (i * 6 + j) * stride);
        ck_output_points(m, y);
        for (int i = 0; i < 4; i++) columns[i][j] = y[i];
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) {
        ck_lanes16 y[4];
        ck_output_points(columns[i], y);
        // Lane t of y[k] to pixel 4t + k.
#define CK_ZIP_LOW(a, b)                                                                       \
    __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define CK_ZIP_HIGH(a, b)                                                                      \
    __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
        ck_lanes16 even_low = CK_ZIP_LOW(y[0], y[2]), odd_low = CK_ZIP_LOW(y[1], y[3]);
        ck_lanes16 even_high = CK_ZIP_HIGH(y[0], y[2]), odd_high = CK_ZIP_HIGH(y[1], y[3]);
        *(ck_vector16 *)pixels[0][i] = CK_ZIP_LOW(even_low, odd_low) + bias;
        *(ck_vector16 *)pixels[1][i] = CK_ZIP_HIGH(even_low, odd_low) + bias;
        *(ck_vector16 *)pixels[2][i] = CK_ZIP_LOW(even_high, odd_high) + bias;
        *(ck_vector16 *)pixels[3][i] = CK_ZIP_HIGH(even_high, odd_high) + bias;
    }
}

// MARK: Rows on their way in

/// to[i] = SiLU(from[i]·scale + shift); the rows don't overlap.
CK_INLINE void ck_activate_row(float *to, const float *from, long n, float scale, float shift) {
    for (long i = 0; i < n;) {
        // The last vector overlaps the one before.
        if (n >= 16 && i > n - 16) i = n - 16;
        long stop = n >= 16 ? i + 16 : n;
#pragma clang loop vectorize_width(16) interleave_count(1)
        for (long k = i; k < stop; k++) {
            float z = from[k] * scale + shift;
            to[k] = z * ck_sigmoidf(z);
        }
        i = stop;
    }
}

/// to[i] = row[(start + i) / 2].
CK_INLINE void ck_double_row(float *to, const float *row, long start, long n) {
    long i = 0;
    if (start % 2 == 1 && n > 0) to[i++] = row[start / 2];
    const float *from = row + (start + i) / 2;
    for (; i + 16 <= n; i += 16, from += 8) {
        ck_vector8 pixels = *(const ck_vector8 *)from;
        *(ck_vector16 *)(to + i) = __builtin_shufflevector(pixels, pixels, 0, 0, 1, 1, 2, 2, 3, 3,
                                                           4, 4, 5, 5, 6, 6, 7, 7);
    }
    for (long k = 0; i < n; i++, k++) to[i] = from[k / 2];
}
