// Products of 33 to 208 rows by Hopper's warpgroup products, bound by the reading of weights.
// SPDX-License-Identifier: Apache-2.0

// A block's columns; values of the inner dimension in a stage, rows of 128 bytes.
enum { COLUMNS = 64, DEPTH = 64, ROW_BYTES = 128 };

// 16 bytes of a weight, with the rest of its line on the way to the second-level cache.
__device__ __forceinline__ void copy_weights(void *shared, const void *global) {
    asm volatile("cp.async.cg.shared.global.L2::256B [%0], [%1], 16;" ::"r"(shared_address(shared)),
                 "l"(__cvta_generic_to_global(global))
                 : "memory");
}

// y [splits, rows, columns] = x [rows, inner] · weight [columns, inner]ᵀ over parts of the inner dimension. A block takes
// 64 columns, all of at most N rows, and `share` of the inner dimension (a multiple of 64): one warpgroup fetches, the
// other has the weights as the left operand. Grid (columns / 64, splits), 256 threads.
template <int N, int STAGES>
__device__ __forceinline__ void rows_product(const uint16_t *x, const uint16_t *weight, float *y, int rows,
                                             int columns, int inner, int share) {
    extern __shared__ __align__(1024) unsigned char memory[];
    constexpr int STAGE = (COLUMNS + N) * ROW_BYTES;
    __shared__ uint64_t full[STAGES], empty[STAGES];
    const int group = threadIdx.x >> 7, thread = threadIdx.x & 127;
    const int column = blockIdx.x * COLUMNS, begin = blockIdx.y * share;
    const int count = (min(inner, begin + share) - begin) / DEPTH;
    allow_next();
    if (threadIdx.x == 0) {
        for (int i = 0; i < STAGES; ++i) barrier_init(full + i, 128), barrier_init(empty + i, 4);
        fence_barriers();
    }
    __syncthreads();
    float sums[N / 2];
    if (group == 1) {
        // Eight threads a row; what lies behind the last row is left as it is, and gives sums of nobody.
        const int c = thread & 7, at_row = thread >> 3;
        uint8_t *to = memory + at_row * ROW_BYTES + ((c ^ (at_row & 7)) << 4);
        const uint16_t *w = weight + (int64_t)(column + at_row) * inner + begin + c * 8;
        const uint16_t *v = x + (int64_t)at_row * inner + begin + c * 8;
        auto copy_weight = [&](int i) {
            uint8_t *tile = to + i % STAGES * STAGE;
#pragma unroll
            for (int r = 0; r < COLUMNS; r += 16)
                copy_weights(tile + r * ROW_BYTES, w + (int64_t)r * inner + i * DEPTH);
        };
        auto copy_rows = [&](int i) {
            uint8_t *tile = to + i % STAGES * STAGE + COLUMNS * ROW_BYTES;
#pragma unroll
            for (int r = 0; r < N; r += 16)
                if (at_row + r < rows) copy_async(tile + r * ROW_BYTES, v + (int64_t)r * inner + i * DEPTH, true);
        };
#pragma unroll
        for (int i = 0; i < STAGES - 1; ++i)
            if (i < count) copy_weight(i);
        wait_for_inputs();
#pragma unroll
        for (int i = 0; i < STAGES - 1; ++i) {
            if (i < count) copy_rows(i);
            commit_copies();
        }
        for (int i = 0; i < count; ++i) {
            wait_for_copies<STAGES - 2>();
            fence_shared();
            barrier_arrive(full + i % STAGES);
            const int next = i + STAGES - 1;
            if (next < count) {
                barrier_wait(empty + next % STAGES, (next / STAGES & 1) ^ 1);
                copy_weight(next);
                copy_rows(next);
            }
            commit_copies();
        }
        wait_for_copies<0>();
    } else {
        wait_for_inputs();
        const uint64_t operand = swizzled_operand();
        const uint32_t tiles = shared_address(memory);
#pragma unroll
        for (int i = 0; i < N / 2; ++i) sums[i] = 0;
        for (int i = 0; i < count; ++i) {
            barrier_wait(full + i % STAGES, i / STAGES & 1);
            const uint64_t w = at(operand, tiles + i % STAGES * STAGE);
            const uint64_t v = at(operand, tiles + i % STAGES * STAGE + COLUMNS * ROW_BYTES);
            wgmma_fence();
#pragma unroll
            for (int d = 0; d < DEPTH / 16; ++d) product<N>::add(sums, w + 2 * d, v + 2 * d, 1);
            wgmma_commit();
            wgmma_wait<1>();
            if (i > 0 && (threadIdx.x & 31) == 0) barrier_arrive(empty + (i - 1) % STAGES);
        }
        wgmma_wait<0>();
        hold(sums);
    }
    // Sums by rows in shared memory, [N][64 + 4], the gap against conflicts.
    __syncthreads();
    constexpr int PITCH = COLUMNS + 4;
    float *parts = (float *)memory;
    if (group == 0) {
        const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, g = lane >> 2, t = lane & 3;
#pragma unroll
        for (int n = 0; n < N / 8; ++n)
#pragma unroll
            for (int c = 0; c < 4; ++c)
                parts[(8 * n + 2 * t + c % 2) * PITCH + warp * 16 + g + c / 2 * 8] = sums[4 * n + c];
    }
    __syncthreads();
    const int at = threadIdx.x % 16 * 4;
    y += (int64_t)blockIdx.y * rows * columns + column + at;
    for (int row = threadIdx.x / 16; row < rows; row += 16)
        *(float4 *)(y + (int64_t)row * columns) = *(const float4 *)(parts + row * PITCH + at);
}

#define ROWS_PRODUCT(N, STAGES)                                                                    \
    extern "C" __global__ void __launch_bounds__(256) rows_product_##N(                            \
        const uint16_t *x, const uint16_t *weight, float *y, int rows, int columns, int inner,     \
        int share) {                                                                               \
        rows_product<N, STAGES>(x, weight, y, rows, columns, inner, share);                        \
    }

// Up to 128 rows, stages of about 96 KiB, so that two blocks are on a multiprocessor.
ROWS_PRODUCT(64, 6)
ROWS_PRODUCT(96, 5)
ROWS_PRODUCT(128, 4)
ROWS_PRODUCT(208, 6)
