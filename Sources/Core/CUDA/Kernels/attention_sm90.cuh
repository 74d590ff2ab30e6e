// What the attention kernels by Hopper's warpgroup products share: tiles of 64 channels, 128 bytes a row.
// SPDX-License-Identifier: Apache-2.0

// TILE: rows of the operand that walks by.
enum { TILE = 128, ROW_BYTES = 128, TILE_BYTES = TILE * ROW_BYTES };

// bounds: starts, then ends, of all queries' intervals; items: of each block its own rows and what they see
// (CUDAAttentionItems).
#define OPERANDS                                                                                   \
    const uint16_t *q, const uint16_t *k, const uint16_t *v, const float *inverse_q,               \
        const float *inverse_k, const float *head_scale, const int *bounds, const int *items,      \
        int heads, int queries, int keys, float scale, ROWS(qs), ROWS(ks), ROWS(vs)

template <int COUNT>
__device__ __forceinline__ void registers_down() {
    asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(COUNT));
}
template <int COUNT>
__device__ __forceinline__ void registers_up() {
    asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(COUNT));
}


// 16-byte piece c of row r in a swizzled tile.
__device__ __forceinline__ uint32_t piece(int r, int c) { return r * ROW_BYTES + ((c ^ (r & 7)) << 4); }

// COUNT rows first… of a matrix by 128 threads, zeros behind the last.
template <int COUNT>
__device__ __forceinline__ void copy_tile(const uint16_t *from, int64_t row, int first, int count,
                                          uint8_t *to) {
    const int thread = threadIdx.x & 127, c = thread & 7, own = thread >> 3;
    from += (first + own) * row + c * 8;
    to += piece(own, c);
    if (first + COUNT <= count) {
        const int64_t step = 16 * row;
#pragma unroll
        for (int i = 0; i < COUNT / 16; ++i, from += step)
            copy_async(to + i * 16 * ROW_BYTES, from, true);
        return;
    }
    for (int i = 0; i < COUNT / 16; ++i) {
        const bool valid = first + own + i * 16 < count;
        copy_async(to + i * 16 * ROW_BYTES, from + (valid ? i * 16 * row : -(first + own) * row), valid);
    }
}

// The pieces of 64 rows that this thread copied, times a factor of each row.
__device__ __forceinline__ void scale_rows(uint8_t *tile, const float (&factor)[4]) {
    const int thread = threadIdx.x & 127;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        uint4 *where = (uint4 *)(tile + piece(i * 16 + (thread >> 3), thread & 7));
        uint4 x = *where;
        x.x = to_bf16x2(low_half(x.x) * factor[i], high_half(x.x) * factor[i]);
        x.y = to_bf16x2(low_half(x.y) * factor[i], high_half(x.y) * factor[i]);
        x.z = to_bf16x2(low_half(x.z) * factor[i], high_half(x.z) * factor[i]);
        x.w = to_bf16x2(low_half(x.w) * factor[i], high_half(x.w) * factor[i]);
        *where = x;
    }
}

__device__ __forceinline__ void group_barrier(int group) {
    asm volatile("bar.sync %0, 128;" ::"r"(group + 1) : "memory");
}

__device__ __forceinline__ float quad_sum(float x) {
    x += __shfl_xor_sync(EVERY_LANE, x, 1);
    return x + __shfl_xor_sync(EVERY_LANE, x, 2);
}
__device__ __forceinline__ float quad_max(float x) {
    x = fmaxf(x, __shfl_xor_sync(EVERY_LANE, x, 1));
    return fmaxf(x, __shfl_xor_sync(EVERY_LANE, x, 2));
}

// The sums of 64 rows to memory, rows from `end` on left out; bf16 through the group's own tile, which nobody
// reads any more, so that whole lines are written. `first`: the first row of the group.
__device__ __forceinline__ void store_rows(const float (&x)[32], uint8_t *own, void *to, int is_float,
                                           int64_t base, int64_t stride, int first, int end) {
    const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5 & 3, g = lane >> 2, t = lane & 3;
    if (is_float) {
        float *out = (float *)to + base;
        const int row = first + warp * 16 + g;
#pragma unroll
        for (int i = 0; i < 2; ++i)
#pragma unroll
            for (int n = 0; n < 8; ++n)
                if (row + 8 * i < end)
                    *(float2 *)(out + (row + 8 * i) * stride + n * 8 + 2 * t) =
                        make_float2(x[4 * n + 2 * i], x[4 * n + 2 * i + 1]);
        return;
    }
    __syncwarp();
#pragma unroll
    for (int i = 0; i < 2; ++i)
#pragma unroll
        for (int n = 0; n < 8; ++n)
            *(uint32_t *)(own + piece(warp * 16 + g + 8 * i, n) + 4 * t) =
                to_bf16x2(x[4 * n + 2 * i], x[4 * n + 2 * i + 1]);
    __syncwarp();
    uint16_t *out = (uint16_t *)to + base;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        const int r = warp * 16 + i * 4 + lane / 8;
        if (first + r < end)
            *(uint4 *)(out + (first + r) * stride + lane % 8 * 8) =
                *(const uint4 *)(own + piece(r, lane % 8));
    }
}

// Weights or their gradients, rounded, as the left operand of a product over the tile's rows.
__device__ __forceinline__ void to_fragments(uint32_t (&p)[TILE / 16][4], const float (&s)[TILE / 2]) {
#pragma unroll
    for (int k = 0; k < TILE / 16; ++k)
#pragma unroll
        for (int i = 0; i < 4; ++i) p[k][i] = to_bf16x2(s[8 * k + 2 * i], s[8 * k + 2 * i + 1]);
}

// One of so many buffers and the parity of its barriers, in turn.
template <int STAGES>
struct turn {
    int stage = 0, parity = 0;
    __device__ __forceinline__ void next() {
        if (++stage == STAGES) stage = 0, parity ^= 1;
    }
};
