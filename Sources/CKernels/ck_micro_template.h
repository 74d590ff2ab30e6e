// Register-tiled products for one instruction set; ck_micro.c includes this once for each.
// Before inclusion: VL (floats in a vector), MR (rows of the widest tile), NV (vectors of it), NAME(x).
// SPDX-License-Identifier: Apache-2.0

typedef float NAME(vector) __attribute__((vector_size(VL * 4), aligned(4)));
typedef float NAME(lanes) __attribute__((vector_size(VL * 4)));

// C[i][n] (+)= Σ_k A[i·rs + k·cs] · B_k[n] for a tile of `rows` × `vectors`; both constants after
// inlining, so that the sums stay in registers. B_k is b + k·ldb, or b + offsets[k].
CK_INLINE void NAME(tile)(const int rows, const int vectors, long depth, const float *a, long rs,
                          long cs, const float *b, long ldb, const int32_t *offsets, float *c,
                          long ldc, int accumulate) {
    NAME(lanes) sum[MR][NV];
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) sum[i][v] = (NAME(lanes)){0};
    for (long k = 0; k < depth; k++) {
        const float *row = offsets ? b + offsets[k] : b + k * ldb;
        NAME(lanes) x[NV];
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) x[v] = *(const NAME(vector) *)(row + v * VL);
#pragma clang loop unroll(full)
        for (int i = 0; i < rows; i++) {
            float w = a[i * rs + k * cs];
#pragma clang loop unroll(full)
            for (int v = 0; v < vectors; v++) sum[i][v] += w * x[v];
        }
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) {
            NAME(vector) *target = (NAME(vector) *)(c + i * ldc + v * VL);
            *target = accumulate ? *target + sum[i][v] : sum[i][v];
        }
}

#define TILE(ROWS, VECTORS)                                                                      \
    static __attribute__((noinline)) void NAME(tile_##ROWS##x##VECTORS)(                         \
        long depth, const float *a, long rs, long cs, const float *b, long ldb,                  \
        const int32_t *offsets, float *c, long ldc, int accumulate) {                            \
        if (offsets)                                                                             \
            NAME(tile)(ROWS, VECTORS, depth, a, rs, cs, b, 0, offsets, c, ldc, accumulate);      \
        else if (cs == 1)                                                                        \
            NAME(tile)(ROWS, VECTORS, depth, a, rs, 1, b, ldb, 0, c, ldc, accumulate);           \
        else                                                                                     \
            NAME(tile)(ROWS, VECTORS, depth, a, rs, cs, b, ldb, 0, c, ldc, accumulate);          \
    }
#define TILES(ROWS) TILE(ROWS, 1) TILE(ROWS, 2) TILE(ROWS, 3)
TILES(1)
TILES(2)
TILES(4)
#if MR == 8
TILES(8)
#endif

#define CALL(ROWS)                                                                               \
    do {                                                                                         \
        if (vectors == 3)                                                                        \
            NAME(tile_##ROWS##x3)(depth, ai, rs, cs, bn, ldb, offsets, cn, ldc, accumulate);     \
        else if (vectors == 2)                                                                   \
            NAME(tile_##ROWS##x2)(depth, ai, rs, cs, bn, ldb, offsets, cn, ldc, accumulate);     \
        else                                                                                     \
            NAME(tile_##ROWS##x1)(depth, ai, rs, cs, bn, ldb, offsets, cn, ldc, accumulate);     \
    } while (0)

// Panels of rows outside, tiles of columns inside: a panel of A stays in the first-level cache.
static void NAME(product)(long m, long n, long depth, const float *a, long rs, long cs,
                          const float *b, long ldb, const int32_t *offsets, float *c, long ldc,
                          int accumulate) {
    long total = (n + VL - 1) / VL;
    for (long i = 0; i < m;) {
        long rows = m - i;
        rows = rows >= MR ? MR : rows >= 4 ? 4 : rows >= 2 ? 2 : 1;
        const float *ai = a + i * rs;
        for (long j = 0; j < total;) {
            long vectors = total - j;
            // Four vectors are two and two: a tile of one vector waits for its own sums.
            vectors = vectors == 4 ? 2 : vectors > NV ? NV : vectors;
            const float *bn = b + j * VL;
            float *cn = c + i * ldc + j * VL;
#if MR == 8
            if (rows == 8) CALL(8);
            else
#endif
            if (rows == 4) CALL(4);
            else if (rows == 2) CALL(2);
            else CALL(1);
            j += vectors;
        }
        i += rows;
    }
}

#undef TILE
#undef TILES
#undef CALL
