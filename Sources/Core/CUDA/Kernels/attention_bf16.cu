// Attention on the tensor cores (FlashAttention-2, Dao, arXiv 2307.08691): bf16 operands, f32 sums and
// softmax. A block of four warps takes 64 (or 128) queries or 64 keys of one head and walks the tiles
// that their intervals touch: no mask matrix exists. All sums have a fixed order.
// SPDX-License-Identifier: Apache-2.0
//
// With inverse norms of the rows, scores are of unit vectors: z_ij = s_h · (q_i·k_j)/(|q_i||k_j|). The norms
// are factors of rows and columns of z, so q and k are read as they are and never written normalised.

// MARK: Forward

// Grid (tiles of 64·R queries, batch · heads). bounds: starts, then ends, of all queries' intervals; tiles:
// per tile of queries the first key any of them sees and the end of the last.
template <int D, int R>
__device__ __forceinline__ void forward(OPERANDS, void *o, int is_float, float *logsumexp, ROWS(os)) {
    GATHER(qs);
    GATHER(ks);
    GATHER(vs);
    GATHER(os);
    SHARED(memory);
    constexpr int P = D + 8;
    uint16_t *tq = (uint16_t *)memory, *tk = tq + 64 * R * P, *tv = tk + 2 * KEYS * P;
    float *norms = (float *)(tv + 2 * KEYS * P);
    const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, g = lane >> 2, t = lane & 3;
    const int first = blockIdx.x * 64 * R, pair = blockIdx.y;
    k += head_offset(ks, pair, heads);
    v += head_offset(vs, pair, heads);
    if (inverse_k) inverse_k += (int64_t)pair * keys;
    int low = 0, high = keys;
    if (tiles) low = tiles[2 * blockIdx.x], high = tiles[2 * blockIdx.x + 1];
    copy_rows<D, 64 * R>(q + head_offset(qs, pair, heads), qs.row, first, queries, tq);
    copy_rows<D, KEYS>(k, ks.row, low, keys, tk);
    copy_rows<D, KEYS>(v, vs.row, low, keys, tv);
    if (inverse_k) copy_numbers(inverse_k, low, keys, 0, norms);
    commit_copies();

    const int own = first + warp * 16 * R + g;
    int begin[R][2], end[R][2];
    float factor[R][2], largest[R][2], total[R][2], out[R][D / 8][4];
#pragma unroll
    for (int r = 0; r < R; ++r)
#pragma unroll
        for (int i = 0; i < 2; ++i) {
            const int row = own + 16 * r + 8 * i;
            const bool valid = row < queries;
            begin[r][i] = valid && bounds ? bounds[row] : 0;
            end[r][i] = valid ? (bounds ? bounds[queries + row] : keys) : 0;
            factor[r][i] = scale * LOG2E * (head_scale ? head_scale[pair % heads] : 1.0f) *
                           (valid && inverse_q ? inverse_q[(int64_t)pair * queries + row] : 1.0f);
            largest[r][i] = -INFINITY_F;
            total[r][i] = 0;
        }
#pragma unroll
    for (int r = 0; r < R; ++r)
#pragma unroll
        for (int n = 0; n < D / 8; ++n) out[r][n][0] = out[r][n][1] = out[r][n][2] = out[r][n][3] = 0;

    uint32_t a[R][D / 16][4];
    int stage = 0;
    for (int key = low; key < high; key += KEYS, stage ^= 1) {
        // One barrier a tile: behind it nobody reads the other stage any more.
        wait_for_copies<0>();
        __syncthreads();
        if (key + KEYS < high) {
            copy_rows<D, KEYS>(k, ks.row, key + KEYS, keys, tk + (stage ^ 1) * KEYS * P);
            copy_rows<D, KEYS>(v, vs.row, key + KEYS, keys, tv + (stage ^ 1) * KEYS * P);
            if (inverse_k) copy_numbers(inverse_k, key + KEYS, keys, 0, norms + (stage ^ 1) * KEYS);
        }
        commit_copies();
        if (key == low) {
#pragma unroll
            for (int r = 0; r < R; ++r)
#pragma unroll
                for (int d = 0; d < D / 16; ++d) load_a<D>(a[r][d], tq, (warp * R + r) * 16, d);
        }
        bool any = false, whole = true;
#pragma unroll
        for (int r = 0; r < R; ++r)
#pragma unroll
            for (int i = 0; i < 2; ++i) {
                any |= begin[r][i] < min(end[r][i], key + KEYS) && end[r][i] > key;
                whole &= (begin[r][i] <= key && end[r][i] >= key + KEYS) ||
                         own + 16 * r + 8 * i >= queries;
            }
        if (!__any_sync(EVERY_LANE, any)) continue;
        whole = __all_sync(EVERY_LANE, whole);

        const uint16_t *rows_k = tk + stage * KEYS * P, *rows_v = tv + stage * KEYS * P;
        float s[R][KEYS / 8][4];
#pragma unroll
        for (int n = 0; n < KEYS / 16; ++n) {
#pragma unroll
            for (int r = 0; r < R; ++r)
#pragma unroll
                for (int c = 0; c < 4; ++c) s[r][2 * n][c] = s[r][2 * n + 1][c] = 0;
#pragma unroll
            for (int d = 0; d < D / 16; ++d) {
                uint32_t b[4];
                load_b<D>(b, rows_k, n * 16, d);
#pragma unroll
                for (int r = 0; r < R; ++r) {
                    mma_bf16(s[r][2 * n], a[r][d], b[0], b[1]);
                    mma_bf16(s[r][2 * n + 1], a[r][d], b[2], b[3]);
                }
            }
        }
#pragma unroll
        for (int n = 0; n < KEYS / 8; ++n) {
            float2 column = make_float2(1, 1);
            if (inverse_k) column = *(const float2 *)(norms + stage * KEYS + n * 8 + 2 * t);
#pragma unroll
            for (int r = 0; r < R; ++r)
#pragma unroll
                for (int c = 0; c < 4; ++c) {
                    s[r][n][c] *= factor[r][c / 2] * (c % 2 ? column.y : column.x);
                    const int at = key + n * 8 + 2 * t + c % 2;
                    if (!whole && (at < begin[r][c / 2] || at >= end[r][c / 2]))
                        s[r][n][c] = -INFINITY_F;
                }
        }
#pragma unroll
        for (int r = 0; r < R; ++r)
#pragma unroll
            for (int i = 0; i < 2; ++i) {
                float next = largest[r][i];
#pragma unroll
                for (int n = 0; n < KEYS / 8; ++n)
                    next = fmaxf(next, fmaxf(s[r][n][2 * i], s[r][n][2 * i + 1]));
                next = quad_max(next);
                // A row that has seen nothing yet: any finite reference gives 2^−∞ = 0.
                const float reference = next == -INFINITY_F ? 0.0f : next;
                const float decay = exp2_fast(largest[r][i] - reference);
                largest[r][i] = next;
                float sum = 0;
#pragma unroll
                for (int n = 0; n < KEYS / 8; ++n) {
                    s[r][n][2 * i] = exp2_fast(s[r][n][2 * i] - reference);
                    s[r][n][2 * i + 1] = exp2_fast(s[r][n][2 * i + 1] - reference);
                    sum += s[r][n][2 * i] + s[r][n][2 * i + 1];
                }
                total[r][i] = total[r][i] * decay + sum;
#pragma unroll
                for (int n = 0; n < D / 8; ++n) {
                    out[r][n][2 * i] *= decay;
                    out[r][n][2 * i + 1] *= decay;
                }
            }
#pragma unroll
        for (int n = 0; n < KEYS / 16; ++n) {
            uint32_t p[R][4];
#pragma unroll
            for (int r = 0; r < R; ++r) fragment(p[r], s[r][2 * n], s[r][2 * n + 1]);
#pragma unroll
            for (int d = 0; d < D / 16; ++d) {
                uint32_t b[4];
                load_b_turned<D>(b, rows_v, n * 16, d);
#pragma unroll
                for (int r = 0; r < R; ++r) {
                    mma_bf16(out[r][2 * d], p[r], b[0], b[1]);
                    mma_bf16(out[r][2 * d + 1], p[r], b[2], b[3]);
                }
            }
        }
    }
    // Also where there was no key: the copies must be over before their memory is used again.
    wait_for_copies<0>();
    __syncthreads();
    const int64_t base = head_offset(os, pair, heads);
#pragma unroll
    for (int r = 0; r < R; ++r) {
#pragma unroll
        for (int i = 0; i < 2; ++i) {
            const int row = own + 16 * r + 8 * i;
            const float sum = quad_sum(total[r][i]), inverse = sum > 0 ? 1.0f / sum : 0.0f;
#pragma unroll
            for (int n = 0; n < D / 8; ++n) {
                out[r][n][2 * i] *= inverse;
                out[r][n][2 * i + 1] *= inverse;
            }
            if (t == 0 && row < queries)
                logsumexp[(int64_t)pair * queries + row] =
                    sum > 0 ? largest[r][i] * LN2 + logf(sum) : -INFINITY_F;
        }
        const int at = (warp * R + r) * 16;
        store_rows<D>(out[r], tq + at * P, is_float ? (void *)((float *)o + base) : (void *)((uint16_t *)o + base),
                      is_float, os.row, first + at, queries);
    }
}

// MARK: Norms

// 1/max(|row|, ε) of queries and keys in [batch, length, 3, heads, D]: inverse [2][batch][heads][length].
// Eight channels a thread, eight tokens at once. Grid (length / 8, batch), block 256.
template <int D>
__device__ __forceinline__ void inverse_norms(const uint16_t *qkv, float *inverse, int length, int heads,
                                              float epsilon) {
    constexpr int PARTS = D / 8;
    const int first = blockIdx.x * 8, part = threadIdx.x % PARTS, count = min(8, length - first);
    // The threads of a row: others may be done.
    const uint32_t group = ((1u << PARTS) - 1) << (threadIdx.x % 32 / PARTS * PARTS);
    qkv += ((int64_t)blockIdx.y * length + first) * 3 * heads * D + part * 8;
    for (int row = threadIdx.x / PARTS; row < 2 * heads; row += 256 / PARTS) {
        uint4 x[8];
#pragma unroll
        for (int i = 0; i < 8; ++i)
            x[i] = i < count ? *(const uint4 *)(qkv + ((int64_t)i * 3 * heads + row) * D)
                             : make_uint4(0, 0, 0, 0);
        const int which = row / heads, head = row - which * heads;
        float *to = inverse +
                    (((int64_t)which * gridDim.y + blockIdx.y) * heads + head) * length + first;
#pragma unroll
        for (int i = 0; i < 8; ++i) {
            const uint32_t words[4] = {x[i].x, x[i].y, x[i].z, x[i].w};
            float sum = 0;
#pragma unroll
            for (int c = 0; c < 4; ++c)
                sum += low_half(words[c]) * low_half(words[c]) +
                       high_half(words[c]) * high_half(words[c]);
#pragma unroll
            for (int step = PARTS / 2; step > 0; step /= 2)
                sum += __shfl_xor_sync(group, sum, step);
            if (part == i % PARTS && i < count) to[i] = 1.0f / fmaxf(sqrtf(sum), epsilon);
        }
    }
}

// MARK: Kernels

#define OUTPUT void *o, int is_float, float *logsumexp, ROWS(os)
#define FORWARD(name, D, R)                                                                        \
    extern "C" __global__ void __launch_bounds__(THREADS) name##_##D(OPERANDS, OUTPUT) {           \
        forward<D, R>(PASS, o, is_float, logsumexp, os_batch, os_head, os_row);                    \
    }
#define NORMS(D)                                                                                   \
    extern "C" __global__ void attention_norms_##D(                                                \
        const uint16_t *qkv, float *inverse, int length, int heads, float epsilon) {               \
        inverse_norms<D>(qkv, inverse, length, heads, epsilon);                                    \
    }

FORWARD(attention_forward, 32, 1)
FORWARD(attention_forward, 64, 1)
FORWARD(attention_forward, 128, 1)
FORWARD(attention_forward_wide, 32, 2)
FORWARD(attention_forward_wide, 64, 2)
NORMS(32)
NORMS(64)
NORMS(128)
