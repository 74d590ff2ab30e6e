// Products of few rows, bound by the reading of weights, and what stands between them in a transformer block.
// SPDX-License-Identifier: Apache-2.0

// MARK: Products

enum { COLUMNS = 32, DEPTH = 128, WARPS = 8 };

// Tiles of rows of 128 values, in pieces of 8 that are exchanged by the row, so that the eight rows of an
// ldmatrix lie in different banks.
__device__ __forceinline__ int piece_at(int row, int piece) { return row * DEPTH + ((piece ^ (row & 7)) << 3); }

// 16 bytes of a weight, with the rest of its line on the way to the second-level cache.
__device__ __forceinline__ void copy_weights(void *shared, const void *global, bool valid) {
    asm volatile("cp.async.cg.shared.global.L2::256B [%0], [%1], 16, %2;" ::"r"(shared_address(shared)),
                 "l"(__cvta_generic_to_global(global)), "r"(valid ? 16 : 0)
                 : "memory");
}

template <int ROWS>
__device__ __forceinline__ void copy_tile(uint16_t *tile, const uint16_t *from, int64_t leading, int rows,
                                          int first, int end, bool is_weight) {
    const int piece = threadIdx.x % (DEPTH / 8), at = first + piece * 8;
#pragma unroll
    for (int i = 0; i < ROWS / 16; ++i) {
        const int row = threadIdx.x / (DEPTH / 8) + 16 * i;
        const bool valid = row < rows && at < end;
        const uint16_t *source = from + (valid ? row * leading + at : 0);
        if (is_weight)
            copy_weights(tile + piece_at(row, piece), source, valid);
        else
            copy_async(tile + piece_at(row, piece), source, valid);
    }
}

__device__ __forceinline__ float gelu_tanh(float x) {
    const float u = 0.7978845608028654f * (x + 0.044715f * x * x * x);
    // tanh(u) = 1 − 2 / (1 + e^2u), without overflow at either end.
    return x * (1.0f - 1.0f / (1.0f + __expf(2.0f * u)));
}

// y [rows, columns] = x [rows, inner] · weight [columns, inner]ᵀ + bias for at most 16·R rows. A block takes 32
// columns and `share` of the inner dimension (a multiple of 128), its eight warps every eighth slice of 16 of
// it; their sums are added in a fixed order. mode 0: partial sums [splits, rows, columns] without a bias, in
// float32; 1: float32, 2: bfloat16, 3: bfloat16 of GELU. Grid (columns / 32, splits), 256 threads.
template <int R, int STAGES>
__device__ __forceinline__ void skinny_product(const uint16_t *x, const uint16_t *weight, const float *bias,
                                               void *y, int rows, int columns, int inner, int share,
                                               int mode) {
    SHARED(memory);
    constexpr int STAGE = (COLUMNS + 16 * R) * DEPTH;
    uint16_t *tiles = (uint16_t *)memory;
    const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
    const int column = blockIdx.x * COLUMNS, begin = blockIdx.y * share, end = min(inner, begin + share);
    const int count = (end - begin + DEPTH - 1) / DEPTH;
    weight += (int64_t)column * inner;
    allow_next();
#pragma unroll
    for (int s = 0; s < STAGES - 1; ++s) {
        if (s < count) copy_tile<COLUMNS>(tiles + s * STAGE, weight, inner, COLUMNS, begin + s * DEPTH, end, true);
        commit_copies();
    }
    wait_for_inputs();
#pragma unroll
    for (int s = 0; s < STAGES - 1; ++s) {
        if (s < count)
            copy_tile<16 * R>(tiles + s * STAGE + COLUMNS * DEPTH, x, inner, rows, begin + s * DEPTH, end, false);
        commit_copies();
    }
    float sums[R][4][4];
#pragma unroll
    for (int r = 0; r < R; ++r)
#pragma unroll
        for (int n = 0; n < 4; ++n) sums[r][n][0] = sums[r][n][1] = sums[r][n][2] = sums[r][n][3] = 0;
    for (int s = 0; s < count; ++s) {
        wait_for_copies<STAGES - 2>();
        // Behind this barrier nobody reads the stage before any more.
        __syncthreads();
        const int next = s + STAGES - 1;
        if (next < count) {
            uint16_t *tile = tiles + next % STAGES * STAGE;
            copy_tile<COLUMNS>(tile, weight, inner, COLUMNS, begin + next * DEPTH, end, true);
            copy_tile<16 * R>(tile + COLUMNS * DEPTH, x, inner, rows, begin + next * DEPTH, end, false);
        }
        commit_copies();
        const uint16_t *w = tiles + s % STAGES * STAGE, *a = w + COLUMNS * DEPTH;
        uint32_t b[2][4];
#pragma unroll
        for (int n = 0; n < 2; ++n)
            load_matrices(b[n], w + piece_at(n * 16 + (lane >> 4) * 8 + (lane & 7), 2 * warp + ((lane >> 3) & 1)));
#pragma unroll
        for (int r = 0; r < R; ++r) {
            uint32_t f[4];
            load_matrices(f, a + piece_at(r * 16 + (lane & 15), 2 * warp + (lane >> 4)));
            mma_bf16(sums[r][0], f, b[0][0], b[0][1]);
            mma_bf16(sums[r][1], f, b[0][2], b[0][3]);
            mma_bf16(sums[r][2], f, b[1][0], b[1][1]);
            mma_bf16(sums[r][3], f, b[1][2], b[1][3]);
        }
    }
    wait_for_copies<0>();
    // The warps' sums in shared memory, 16 rows at a time: [warp][16][32 + 8], the gap against conflicts.
    constexpr int PITCH = COLUMNS + 8;
    float *parts = (float *)memory;
    const int g = lane >> 2, t = lane & 3;
#pragma unroll
    for (int r = 0; r < R; ++r) {
        __syncthreads();
#pragma unroll
        for (int n = 0; n < 4; ++n)
#pragma unroll
            for (int i = 0; i < 2; ++i)
                *(float2 *)(parts + (warp * 16 + g + 8 * i) * PITCH + n * 8 + 2 * t) =
                    make_float2(sums[r][n][2 * i], sums[r][n][2 * i + 1]);
        __syncthreads();
        const int row = threadIdx.x / 16, at = threadIdx.x % 16 * 2, own = r * 16 + row;
        if (own >= rows) continue;
        float2 sum = make_float2(0, 0);
#pragma unroll
        for (int w = 0; w < WARPS; ++w) {
            const float2 part = *(const float2 *)(parts + (w * 16 + row) * PITCH + at);
            sum.x += part.x, sum.y += part.y;
        }
        const int64_t place = (int64_t)own * columns + column + at;
        if (mode == 0) {
            *(float2 *)((float *)y + (int64_t)blockIdx.y * rows * columns + place) = sum;
            continue;
        }
        if (bias) sum.x += bias[column + at], sum.y += bias[column + at + 1];
        if (mode == 1)
            *(float2 *)((float *)y + place) = sum;
        else if (mode == 2)
            *(uint32_t *)((uint16_t *)y + place) = to_bf16x2(sum.x, sum.y);
        else
            *(uint32_t *)((uint16_t *)y + place) = to_bf16x2(gelu_tanh(sum.x), gelu_tanh(sum.y));
    }
}

#define SKINNY(R, STAGES)                                                                          \
    extern "C" __global__ void __launch_bounds__(256) skinny_product_##R(                          \
        const uint16_t *x, const uint16_t *weight, const float *bias, void *y, int rows,           \
        int columns, int inner, int share, int mode) {                                             \
        skinny_product<R, STAGES>(x, weight, bias, y, rows, columns, inner, share, mode);          \
    }

// Stages that fill about 96 KiB, so that two blocks are on a multiprocessor.
SKINNY(1, 8)
SKINNY(2, 6)
SKINNY(3, 5)
SKINNY(4, 4)
SKINNY(5, 3)

// MARK: Residuals and norms

// h = x + (bias + Σ parts)·gate and y = LN(h)·(1 + gain) + shift in bfloat16; a row a block of 256 threads. The
// branch has `parts` partial sums in float32, or is bfloat16. Rows of gate, gain and shift for `share` rows
// each; gate_row and so on say how far they lie apart. Width a multiple of 4, at most 4096; all aligned.
extern "C" __global__ void __launch_bounds__(256) residual_norm(
    const float *x, const float *branch, const uint16_t *narrow, int parts, const float *bias,
    const float *gate, int64_t gate_row, const float *gain, int64_t gain_row, const float *shift,
    int64_t shift_row, float *h, uint16_t *y, int rows, int width, int share, float epsilon) {
    __shared__ float scratch[2][32];
    const int row = blockIdx.x, group = row / share;
    const int64_t start = (int64_t)row * width;
    start_early();
    gate += group * gate_row;
    gain += group * gain_row;
    shift += group * shift_row;
    float4 value[4], gains[4], shifts[4];
    float sum = 0;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        const int at = (threadIdx.x + 256 * i) * 4;
        value[i] = gains[i] = shifts[i] = make_float4(0, 0, 0, 0);
        if (at >= width) continue;
        float4 b = bias ? *(const float4 *)(bias + at) : make_float4(0, 0, 0, 0);
        const float4 own = *(const float4 *)(x + start + at), g = *(const float4 *)(gate + at);
        gains[i] = *(const float4 *)(gain + at);
        shifts[i] = *(const float4 *)(shift + at);
        if (narrow) {
            const uint2 v = *(const uint2 *)(narrow + start + at);
            b.x += __uint_as_float(v.x << 16), b.y += __uint_as_float(v.x & 0xffff0000u);
            b.z += __uint_as_float(v.y << 16), b.w += __uint_as_float(v.y & 0xffff0000u);
        }
        for (int p = 0; p < parts; ++p) {
            const float4 v = *(const float4 *)(branch + (int64_t)p * rows * width + start + at);
            b.x += v.x, b.y += v.y, b.z += v.z, b.w += v.w;
        }
        float4 &v = value[i];
        v = make_float4(own.x + b.x * g.x, own.y + b.y * g.y, own.z + b.z * g.z, own.w + b.w * g.w);
        *(float4 *)(h + start + at) = v;
        sum += (v.x + v.y) + (v.z + v.w);
    }
    const float mean = block_sum(sum, scratch[0]) / width;
    float squares = 0;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        if ((threadIdx.x + 256 * i) * 4 >= width) continue;
        float4 &v = value[i];
        v.x -= mean, v.y -= mean, v.z -= mean, v.w -= mean;
        squares += (v.x * v.x + v.y * v.y) + (v.z * v.z + v.w * v.w);
    }
    const float rstd = rsqrtf(block_sum(squares, scratch[1]) / width + epsilon);
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        const int at = (threadIdx.x + 256 * i) * 4;
        if (at >= width) continue;
        const float4 v = value[i], g = gains[i], b = shifts[i];
        *(uint2 *)(y + start + at) =
            make_uint2(to_bf16x2(v.x * rstd * (1.0f + g.x) + b.x, v.y * rstd * (1.0f + g.y) + b.y),
                       to_bf16x2(v.z * rstd * (1.0f + g.z) + b.z, v.w * rstd * (1.0f + g.w) + b.w));
    }
}

// MARK: Attention by cosine similarity

__device__ __forceinline__ float over_quad_sum(float x) {
    x += __shfl_xor_sync(0xffffffffu, x, 1);
    return x + __shfl_xor_sync(0xffffffffu, x, 2);
}
__device__ __forceinline__ float over_quad_max(float x) {
    x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, 1));
    return fmaxf(x, __shfl_xor_sync(0xffffffffu, x, 2));
}

// Where a head's rows lie in qkv [B, L, 3, H, D].
template <int D>
struct packed_rows {
    const uint16_t *q, *k, *v;
    int64_t leading;

    __device__ __forceinline__ packed_rows(const uint16_t *qkv, int batch, int head, int length, int heads) {
        const int64_t part = heads * D;
        leading = 3 * part;
        q = qkv + batch * length * leading + head * D;
        k = q + part;
        v = k + part;
    }
};

// 64 rows from `start` on to shared memory, padded by 8, zeros behind the last; by THREADS threads.
template <int D, int THREADS>
__device__ __forceinline__ void copy_head(uint16_t *to, const uint16_t *from, int64_t leading, int start,
                                          int length) {
#pragma unroll
    for (int i = 0; i < 64 * (D / 8) / THREADS; ++i) {
        const int at = threadIdx.x + THREADS * i, r = at / (D / 8), c = at % (D / 8) * 8;
        const bool valid = start + r < length;
        copy_async(to + r * (D + 8) + c, from + (valid ? (start + r) * leading + c : 0), valid);
    }
}

// One over the norm of a row in shared memory, by two neighbouring threads; the even one has it.
template <int D>
__device__ __forceinline__ void inverse_norm(const uint16_t *row, float *inverse, float epsilon) {
    const int half = threadIdx.x % 2 * (D / 2);
    float sum = 0;
#pragma unroll
    for (int c = 0; c < D / 2; c += 8) {
        const uint4 x = *(const uint4 *)(row + half + c);
        const uint32_t words[4] = {x.x, x.y, x.z, x.w};
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            const float low = __uint_as_float(words[i] << 16), high = __uint_as_float(words[i] & 0xffff0000u);
            sum += low * low + high * high;
        }
    }
    sum += __shfl_xor_sync(0xffffffffu, sum, 1);
    if (threadIdx.x % 2 == 0) *inverse = 1.0f / fmaxf(sqrtf(sum), epsilon);
}

// What a warp has found of 16 queries: per row the largest score so far, its lane's part of the sum of e^(score −
// largest), and the sums of values.
template <int D>
struct attention_sums {
    float largest[2], total[2], out[D / 8][4];

    __device__ __forceinline__ attention_sums() {
        largest[0] = largest[1] = -INFINITY_F;
        total[0] = total[1] = 0;
#pragma unroll
        for (int n = 0; n < D / 8; ++n) out[n][0] = out[n][1] = out[n][2] = out[n][3] = 0;
    }

    __device__ __forceinline__ void decay(int i, float next) {
        const float factor = exp2_fast(largest[i] - next);
        largest[i] = next;
        total[i] *= factor;
#pragma unroll
        for (int n = 0; n < D / 8; ++n) out[n][2 * i] *= factor, out[n][2 * i + 1] *= factor;
    }

    // Adds `count` keys (at most 64) in tiles of keys and values; tq are the warp's queries.
    __device__ __forceinline__ void add(const uint16_t *tq, const uint16_t *tk, const uint16_t *tv,
                                        const float (&factor)[2], const float *inverse_k, int count) {
        constexpr int P = D + 8;
        const int lane = threadIdx.x & 31, t = lane & 3;
        float s[8][4];
#pragma unroll
        for (int n = 0; n < 8; ++n) s[n][0] = s[n][1] = s[n][2] = s[n][3] = 0;
#pragma unroll
        for (int d = 0; d < D / 16; ++d) {
            uint32_t a[4];
            load_matrices(a, tq + (lane & 15) * P + d * 16 + (lane >> 4) * 8);
#pragma unroll
            for (int n = 0; n < 4; ++n) {
                if (n * 16 >= count) continue;
                uint32_t b[4];
                load_matrices(b, tk + (n * 16 + (lane >> 4) * 8 + (lane & 7)) * P + d * 16 +
                                     ((lane >> 3) & 1) * 8);
                mma_bf16(s[2 * n], a, b[0], b[1]);
                mma_bf16(s[2 * n + 1], a, b[2], b[3]);
            }
        }
#pragma unroll
        for (int n = 0; n < 8; ++n)
#pragma unroll
            for (int c = 0; c < 4; ++c) {
                const int at = n * 8 + 2 * t + c % 2;
                s[n][c] = at < count ? s[n][c] * factor[c / 2] * inverse_k[at] : -INFINITY_F;
            }
#pragma unroll
        for (int i = 0; i < 2; ++i) {
            float next = largest[i];
#pragma unroll
            for (int n = 0; n < 8; ++n) next = fmaxf(next, fmaxf(s[n][2 * i], s[n][2 * i + 1]));
            decay(i, over_quad_max(next));
#pragma unroll
            for (int n = 0; n < 8; ++n) {
                s[n][2 * i] = exp2_fast(s[n][2 * i] - largest[i]);
                s[n][2 * i + 1] = exp2_fast(s[n][2 * i + 1] - largest[i]);
                total[i] += s[n][2 * i] + s[n][2 * i + 1];
            }
        }
#pragma unroll
        for (int n = 0; n < 4; ++n) {
            if (n * 16 >= count) continue;
            const uint32_t p[4] = {to_bf16x2(s[2 * n][0], s[2 * n][1]), to_bf16x2(s[2 * n][2], s[2 * n][3]),
                                   to_bf16x2(s[2 * n + 1][0], s[2 * n + 1][1]),
                                   to_bf16x2(s[2 * n + 1][2], s[2 * n + 1][3])};
#pragma unroll
            for (int d = 0; d < D / 16; ++d) {
                uint32_t b[4];
                load_matrices_transposed(b, tv + (n * 16 + (lane & 15)) * P + d * 16 + (lane >> 4) * 8);
                mma_bf16(out[2 * d], p, b[0], b[1]);
                mma_bf16(out[2 * d + 1], p, b[2], b[3]);
            }
        }
    }

    // Rows from `first` on of o, which are `leading` apart.
    __device__ __forceinline__ void store(uint16_t *o, int64_t leading, int first, int length) {
        const int lane = threadIdx.x & 31, g = lane >> 2, t = lane & 3;
#pragma unroll
        for (int i = 0; i < 2; ++i) {
            const int row = first + g + 8 * i;
            const float inverse = 1.0f / over_quad_sum(total[i]);
            if (row >= length) continue;
#pragma unroll
            for (int n = 0; n < D / 8; ++n)
                *(uint32_t *)(o + row * leading + n * 8 + 2 * t) =
                    to_bf16x2(out[n][2 * i] * inverse, out[n][2 * i + 1] * inverse);
        }
    }
};

// o [B, L, H, D] = softmax(s_h · q̂ k̂ᵀ) v of qkv [B, L, 3, H, D], all keys seen by all queries. A warp takes 16
// queries of one head, a block up to 64, over tiles of 64 keys whose norms it finds on the way. Grid
// (⌈L / 64⌉, B·H), 128 threads.
template <int D>
__device__ __forceinline__ void cosine_attention(const uint16_t *qkv, const float *head_scale,
                                                 uint16_t *o, int length, int heads, float epsilon) {
    constexpr int P = D + 8;
    __shared__ __align__(128) uint16_t tq[64 * P], keys[2][64 * P], values[2][64 * P];
    __shared__ float inverse_q[64], inverse_k[64];
    const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, g = lane >> 2;
    const int first = blockIdx.x * 64, batch = blockIdx.y / heads, head = blockIdx.y % heads;
    const packed_rows<D> rows(qkv, batch, head, length, heads);
    start_early();
    copy_head<D, 128>(tq, rows.q, rows.leading, first, length);
    copy_head<D, 128>(keys[0], rows.k, rows.leading, 0, length);
    copy_head<D, 128>(values[0], rows.v, rows.leading, 0, length);
    commit_copies();
    const float scale = head_scale[head] * 1.4426950408889634f;
    const bool is_used = first + warp * 16 < length;
    float factor[2] = {0, 0};
    attention_sums<D> sums;
    int stage = 0;
    for (int key = 0; key < length; key += 64, stage ^= 1) {
        wait_for_copies<0>();
        // Behind this barrier nobody reads the other stage any more.
        __syncthreads();
        if (key + 64 < length) {
            copy_head<D, 128>(keys[stage ^ 1], rows.k, rows.leading, key + 64, length);
            copy_head<D, 128>(values[stage ^ 1], rows.v, rows.leading, key + 64, length);
            commit_copies();
        }
        const int r = threadIdx.x / 2;
        inverse_norm<D>(keys[stage] + r * P, inverse_k + r, epsilon);
        if (key == 0) inverse_norm<D>(tq + r * P, inverse_q + r, epsilon);
        __syncthreads();
        if (!is_used) continue;
        if (key == 0)
            factor[0] = scale * inverse_q[warp * 16 + g], factor[1] = scale * inverse_q[warp * 16 + g + 8];
        sums.add(tq + warp * 16 * P, keys[stage], values[stage], factor, inverse_k, min(64, length - key));
    }
    if (is_used)
        sums.store(o + (int64_t)batch * length * heads * D + head * D, (int64_t)heads * D, first + warp * 16,
                   length);
}

// The same for 65 to 256 keys with less waiting: all of them in shared memory at once, eight warps, of which the
// second four take every other tile; their sums are added at the end. Grid (⌈L / 64⌉, B·H), 256 threads.
template <int D>
__device__ __forceinline__ void cosine_attention_halves(const uint16_t *qkv, const float *head_scale,
                                                        uint16_t *o, int length, int heads, float epsilon) {
    SHARED(memory);
    constexpr int P = D + 8, TILE = 64 * P;
    __shared__ float inverse[64 + 256];
    uint16_t *tq = (uint16_t *)memory;
    const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, g = lane >> 2;
    const int half = warp / 4, own = warp % 4 * 16, tiles = (length + 63) / 64;
    uint16_t *keys = tq + TILE, *values = keys + tiles * TILE;
    const int first = blockIdx.x * 64, batch = blockIdx.y / heads, head = blockIdx.y % heads;
    const packed_rows<D> rows(qkv, batch, head, length, heads);
    start_early();
    copy_head<D, 256>(tq, rows.q, rows.leading, first, length);
    for (int i = 0; i < tiles; ++i) copy_head<D, 256>(keys + i * TILE, rows.k, rows.leading, 64 * i, length);
    commit_copies();
    for (int i = 0; i < tiles; ++i) copy_head<D, 256>(values + i * TILE, rows.v, rows.leading, 64 * i, length);
    commit_copies();
    const float scale = head_scale[head] * 1.4426950408889634f;
    wait_for_copies<1>();
    __syncthreads();
    // Queries and keys follow each other.
    for (int r = threadIdx.x / 2; r < 64 * (tiles + 1); r += 128)
        inverse_norm<D>(tq + r * P, inverse + r, epsilon);
    wait_for_copies<0>();
    __syncthreads();
    const bool is_used = first + own < length;
    attention_sums<D> sums;
    if (is_used) {
        const float factor[2] = {scale * inverse[own + g], scale * inverse[own + g + 8]};
        for (int i = half; i < tiles; i += 2)
            sums.add(tq + own * P, keys + i * TILE, values + i * TILE, factor, inverse + 64 * (i + 1),
                     min(64, length - 64 * i));
    }
    // The keys are not needed any more: the second half's sums take their place.
    __syncthreads();
    float *other = (float *)keys + warp % 4 * (D / 8 * 4 + 4) * 32 + lane;
    if (half == 1) {
#pragma unroll
        for (int n = 0; n < D / 8; ++n)
#pragma unroll
            for (int c = 0; c < 4; ++c) other[(n * 4 + c) * 32] = sums.out[n][c];
#pragma unroll
        for (int i = 0; i < 2; ++i) {
            other[(D / 2 + i) * 32] = sums.largest[i];
            other[(D / 2 + 2 + i) * 32] = sums.total[i];
        }
    }
    __syncthreads();
    if (half == 1 || !is_used) return;
#pragma unroll
    for (int i = 0; i < 2; ++i) {
        const float theirs = other[(D / 2 + i) * 32], next = fmaxf(sums.largest[i], theirs);
        sums.decay(i, next);
        const float factor = exp2_fast(theirs - next);
        sums.total[i] += factor * other[(D / 2 + 2 + i) * 32];
#pragma unroll
        for (int n = 0; n < D / 8; ++n) {
            sums.out[n][2 * i] += factor * other[(n * 4 + 2 * i) * 32];
            sums.out[n][2 * i + 1] += factor * other[(n * 4 + 2 * i + 1) * 32];
        }
    }
    sums.store(o + (int64_t)batch * length * heads * D + head * D, (int64_t)heads * D, first + own, length);
}

#define COSINE_ATTENTION(D)                                                                        \
    extern "C" __global__ void __launch_bounds__(128) cosine_attention_##D(                        \
        const uint16_t *qkv, const float *head_scale, uint16_t *o, int length, int heads,          \
        float epsilon) {                                                                           \
        cosine_attention<D>(qkv, head_scale, o, length, heads, epsilon);                           \
    }                                                                                              \
    extern "C" __global__ void __launch_bounds__(256) cosine_attention_halves_##D(                 \
        const uint16_t *qkv, const float *head_scale, uint16_t *o, int length, int heads,          \
        float epsilon) {                                                                           \
        cosine_attention_halves<D>(qkv, head_scale, o, length, heads, epsilon);                    \
    }

COSINE_ATTENTION(32)
COSINE_ATTENTION(64)
