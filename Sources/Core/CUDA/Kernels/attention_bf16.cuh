// What attention's bf16 kernels share: tiles in shared memory, fragments of them, rows to memory.
// SPDX-License-Identifier: Apache-2.0

enum { KEYS = 64, THREADS = 128 };
// Wider heads read the fragments of their own rows again and again: registers are for sums.
#define IS_HELD(D) (D <= 64)
// Rows first… of a matrix to shared memory, zeros behind the last. Rows are padded by 16 bytes, so that the
// eight rows of an ldmatrix lie in different banks.
template <int D, int COUNT>
__device__ __forceinline__ void copy_rows(const uint16_t *from, int64_t row, int first, int count,
                                          uint16_t *to) {
#pragma unroll
    for (int i = 0; i < COUNT * (D / 8) / THREADS; ++i) {
        const int at = threadIdx.x + THREADS * i, r = at / (D / 8), c = at % (D / 8) * 8;
        const bool valid = first + r < count;
        copy_async(to + r * (D + 8) + c, from + (valid ? (first + r) * row + c : 0), valid);
    }
}

// One number a row, the same way; 64 of them by the threads from `thread` on.
__device__ __forceinline__ void copy_numbers(const void *from, int first, int count, int thread,
                                             void *to) {
    const int i = (int)threadIdx.x - thread;
    if (i < 0 || i >= 64) return;
    const bool valid = first + i < count;
    copy_async_4((uint32_t *)to + i, (const uint32_t *)from + (valid ? first + i : 0), valid);
}

// Fragment A of rows row… and channels 16·step…; also that of a matrix whose rows are n for B, see below.
template <int D>
__device__ __forceinline__ void load_a(uint32_t (&a)[4], const uint16_t *tile, int row, int step) {
    const int lane = threadIdx.x & 31;
    load_matrices(a, tile + (row + (lane & 15)) * (D + 8) + step * 16 + (lane >> 4) * 8);
}

// Fragments B of 16 columns n whose vectors over k are rows of the tile: b[0], b[1] of the first eight,
// b[2], b[3] of the others.
template <int D>
__device__ __forceinline__ void load_b(uint32_t (&b)[4], const uint16_t *tile, int row, int step) {
    const int lane = threadIdx.x & 31;
    load_matrices(b, tile + (row + (lane >> 4) * 8 + (lane & 7)) * (D + 8) + step * 16 +
                         ((lane >> 3) & 1) * 8);
}

// The same where k runs along the rows of the tile, from `row` on, and n along its channels.
template <int D>
__device__ __forceinline__ void load_b_turned(uint32_t (&b)[4], const uint16_t *tile, int row,
                                              int step) {
    const int lane = threadIdx.x & 31;
    load_matrices_transposed(b, tile + (row + (lane & 15)) * (D + 8) + step * 16 + (lane >> 4) * 8);
}

// Sums of two neighbouring 8-column tiles as fragment A of a product over these 16 columns.
__device__ __forceinline__ void fragment(uint32_t (&a)[4], const float (&left)[4],
                                         const float (&right)[4]) {
    a[0] = to_bf16x2(left[0], left[1]);
    a[1] = to_bf16x2(left[2], left[3]);
    a[2] = to_bf16x2(right[0], right[1]);
    a[3] = to_bf16x2(right[2], right[3]);
}


// Over the four lanes that share a row of sums.
__device__ __forceinline__ float quad_sum(float x) {
    x += __shfl_xor_sync(EVERY_LANE, x, 1);
    return x + __shfl_xor_sync(EVERY_LANE, x, 2);
}
__device__ __forceinline__ float quad_max(float x) {
    x = fmaxf(x, __shfl_xor_sync(EVERY_LANE, x, 1));
    return fmaxf(x, __shfl_xor_sync(EVERY_LANE, x, 2));
}

// 16 rows of sums to memory, rows from `end` on left out; bf16 through the warp's own part of shared memory,
// so that whole lines are written.
template <int D>
__device__ __forceinline__ void store_rows(const float (&x)[D / 8][4], uint16_t *own, void *to,
                                           int is_float, int64_t row, int first, int end) {
    const int lane = threadIdx.x & 31, g = lane >> 2, t = lane & 3;
    if (is_float) {
        float *out = (float *)to;
#pragma unroll
        for (int n = 0; n < D / 8; ++n)
#pragma unroll
            for (int i = 0; i < 2; ++i)
                if (first + g + 8 * i < end)
                    *(float2 *)(out + (first + g + 8 * i) * row + n * 8 + 2 * t) =
                        make_float2(x[n][2 * i], x[n][2 * i + 1]);
        return;
    }
    uint16_t *out = (uint16_t *)to;
    __syncwarp();
#pragma unroll
    for (int n = 0; n < D / 8; ++n)
#pragma unroll
        for (int i = 0; i < 2; ++i)
            *(uint32_t *)(own + (g + 8 * i) * (D + 8) + n * 8 + 2 * t) =
                to_bf16x2(x[n][2 * i], x[n][2 * i + 1]);
    __syncwarp();
#pragma unroll
    for (int i = 0; i < D / 16; ++i) {
        const int at = lane + 32 * i, r = at / (D / 8), c = at % (D / 8) * 8;
        if (first + r < end)
            *(uint4 *)(out + (first + r) * row + c) = *(const uint4 *)(own + r * (D + 8) + c);
    }
}

#define OPERANDS                                                                                   \
    const uint16_t *q, const uint16_t *k, const uint16_t *v, const float *inverse_q,               \
        const float *inverse_k, const float *head_scale, const int *bounds, const int *tiles,      \
        int heads, int queries, int keys, float scale, ROWS(qs), ROWS(ks), ROWS(vs)
#define PASS                                                                                       \
    q, k, v, inverse_q, inverse_k, head_scale, bounds, tiles, heads, queries, keys, scale,         \
        qs_batch, qs_head, qs_row, ks_batch, ks_head, ks_row, vs_batch, vs_head, vs_row
