// Gradients of attention on the tensor cores: one pass over the tiles of queries, one over those of keys;
// each multiplies the scores again. All sums have a fixed order.
// SPDX-License-Identifier: Apache-2.0

// From the gradient a of a unit vector x̂ to that of x, factor/|x| · (a − x̂ (x̂·a)), for 16 rows of sums; the
// rows x are in the tile. dots: x̂·a.
template <int D>
__device__ __forceinline__ void project(float (&sums)[D / 8][4], const uint16_t *tile, int row,
                                        const float (&inverse)[2], float factor, float (&dots)[2]) {
    dots[0] = dots[1] = 0;
#pragma unroll
    for (int d = 0; d < D / 16; ++d) {
        uint32_t x[4];
        load_a<D>(x, tile, row, d);
#pragma unroll
        for (int c = 0; c < 4; ++c) {
            const int n = 2 * d + c / 2, i = c % 2;
            dots[i] += low_half(x[c]) * sums[n][2 * i] + high_half(x[c]) * sums[n][2 * i + 1];
        }
    }
    float along[2];
#pragma unroll
    for (int i = 0; i < 2; ++i) {
        dots[i] = quad_sum(dots[i]) * inverse[i];
        // Below ε = 10⁻¹² the divisor is a constant.
        along[i] = inverse[i] < 1e12f ? dots[i] * inverse[i] : 0.0f;
    }
#pragma unroll
    for (int d = 0; d < D / 16; ++d) {
        uint32_t x[4];
        load_a<D>(x, tile, row, d);
#pragma unroll
        for (int c = 0; c < 4; ++c) {
            const int n = 2 * d + c / 2, i = c % 2;
            const float scale = factor * inverse[i];
            sums[n][2 * i] = (sums[n][2 * i] - low_half(x[c]) * along[i]) * scale;
            sums[n][2 * i + 1] = (sums[n][2 * i + 1] - high_half(x[c]) * along[i]) * scale;
        }
    }
}

// MARK: Gradient to the queries

// Grid (tiles of 64 queries, batch · heads). Also writes delta = Σ o · do for the keys' pass and, for unit
// vectors, the gradient of the heads' scales as one sum a block: dscale [heads][batch][tiles].
template <int D>
__device__ __forceinline__ void query_gradient(OPERANDS, const uint16_t *o, const uint16_t *d_o,
                                               const float *logsumexp, float *delta, void *dq,
                                               int is_float, float *dscale, ROWS(os), ROWS(dos),
                                               ROWS(dqs)) {
    GATHER(qs);
    GATHER(ks);
    GATHER(vs);
    GATHER(os);
    GATHER(dos);
    GATHER(dqs);
    SHARED(memory);
    constexpr int P = D + 8;
    uint16_t *tq = (uint16_t *)memory, *to = tq + 64 * P, *tk = to + 64 * P, *tv = tk + 2 * KEYS * P;
    float *norms = (float *)(tv + 2 * KEYS * P), *partial = norms + 2 * KEYS;
    const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, g = lane >> 2, t = lane & 3;
    const int first = blockIdx.x * 64, pair = blockIdx.y;
    k += head_offset(ks, pair, heads);
    v += head_offset(vs, pair, heads);
    if (inverse_k) inverse_k += (int64_t)pair * keys;
    int low = 0, high = keys;
    if (tiles) low = tiles[2 * blockIdx.x], high = tiles[2 * blockIdx.x + 1];
    copy_rows<D, 64>(q + head_offset(qs, pair, heads), qs.row, first, queries, tq);
    copy_rows<D, 64>(d_o + head_offset(dos, pair, heads), dos.row, first, queries, to);
    copy_rows<D, KEYS>(k, ks.row, low, keys, tk);
    copy_rows<D, KEYS>(v, vs.row, low, keys, tv);
    if (inverse_k) copy_numbers(inverse_k, low, keys, 0, norms);
    commit_copies();

    const int own = first + warp * 16 + g;
    const float head_factor = scale * (head_scale ? head_scale[pair % heads] : 1.0f);
    int begin[2], end[2];
    float inverse[2], reference[2], shift[2] = {0, 0}, sums[D / 8][4];
#pragma unroll
    for (int i = 0; i < 2; ++i) {
        const int row = own + 8 * i;
        const bool valid = row < queries;
        begin[i] = valid && bounds ? bounds[row] : 0;
        end[i] = valid ? (bounds ? bounds[queries + row] : keys) : 0;
        inverse[i] = valid && inverse_q ? inverse_q[(int64_t)pair * queries + row] : 1.0f;
        reference[i] = valid ? logsumexp[(int64_t)pair * queries + row] * LOG2E : INFINITY_F;
        // A row without keys has no weights.
        if (reference[i] == -INFINITY_F) reference[i] = INFINITY_F;
    }
#pragma unroll
    for (int n = 0; n < D / 8; ++n) sums[n][0] = sums[n][1] = sums[n][2] = sums[n][3] = 0;
    wait_for_copies<0>();
    __syncthreads();
    uint32_t a[D / 16][4], ao[D / 16][4];
    o += head_offset(os, pair, heads);
#pragma unroll
    for (int d = 0; d < D / 16; ++d) {
        load_a<D>(a[d], tq, warp * 16, d);
        load_a<D>(ao[d], to, warp * 16, d);
        // o in the layout of the fragment.
#pragma unroll
        for (int c = 0; c < 4; ++c) {
            const int row = own + 8 * (c % 2);
            if (row >= queries) continue;
            const uint32_t x =
                *(const uint32_t *)(o + row * os.row + d * 16 + (c / 2) * 8 + 2 * t);
            shift[c % 2] += low_half(x) * low_half(ao[d][c]) + high_half(x) * high_half(ao[d][c]);
        }
    }
#pragma unroll
    for (int i = 0; i < 2; ++i) {
        shift[i] = quad_sum(shift[i]);
        if (t == 0 && own + 8 * i < queries)
            delta[(int64_t)pair * queries + own + 8 * i] = shift[i];
    }
    int stage = 0;
    for (int key = low; key < high; key += KEYS, stage ^= 1) {
        wait_for_copies<0>();
        __syncthreads();
        if (key + KEYS < high) {
            copy_rows<D, KEYS>(k, ks.row, key + KEYS, keys, tk + (stage ^ 1) * KEYS * P);
            copy_rows<D, KEYS>(v, vs.row, key + KEYS, keys, tv + (stage ^ 1) * KEYS * P);
            if (inverse_k) copy_numbers(inverse_k, key + KEYS, keys, 0, norms + (stage ^ 1) * KEYS);
        }
        commit_copies();
        // Halves of 32 keys keep the sums in registers.
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            const int at_first = key + 32 * half;
            bool any = false, whole = true;
#pragma unroll
            for (int i = 0; i < 2; ++i) {
                any |= begin[i] < min(end[i], at_first + 32) && end[i] > at_first;
                whole &= (begin[i] <= at_first && end[i] >= at_first + 32) || own + 8 * i >= queries;
            }
            if (!__any_sync(EVERY_LANE, any)) continue;
            whole = __all_sync(EVERY_LANE, whole);
            const uint16_t *rows_k = tk + (stage * KEYS + 32 * half) * P;
            const uint16_t *rows_v = tv + (stage * KEYS + 32 * half) * P;
            float s[4][4], p[4][4];
#pragma unroll
            for (int n = 0; n < 2; ++n) {
#pragma unroll
                for (int c = 0; c < 4; ++c)
                    s[2 * n][c] = s[2 * n + 1][c] = p[2 * n][c] = p[2 * n + 1][c] = 0;
#pragma unroll
                for (int d = 0; d < D / 16; ++d) {
                    uint32_t b[4];
                    load_b<D>(b, rows_k, n * 16, d);
                    mma_bf16(s[2 * n], a[d], b[0], b[1]);
                    mma_bf16(s[2 * n + 1], a[d], b[2], b[3]);
                    load_b<D>(b, rows_v, n * 16, d);
                    mma_bf16(p[2 * n], ao[d], b[0], b[1]);
                    mma_bf16(p[2 * n + 1], ao[d], b[2], b[3]);
                }
            }
#pragma unroll
            for (int n = 0; n < 4; ++n) {
                float2 column = make_float2(1, 1);
                if (inverse_k)
                    column = *(const float2 *)(norms + stage * KEYS + 32 * half + n * 8 + 2 * t);
#pragma unroll
                for (int c = 0; c < 4; ++c) {
                    const int i = c / 2, at = at_first + n * 8 + 2 * t + c % 2;
                    const float norm = c % 2 ? column.y : column.x;
                    float weight = exp2_fast(s[n][c] * (head_factor * LOG2E * inverse[i] * norm) -
                                             reference[i]);
                    if (!whole && (at < begin[i] || at >= end[i])) weight = 0;
                    s[n][c] = weight * (p[n][c] - shift[i]) * norm;
                }
            }
#pragma unroll
            for (int n = 0; n < 2; ++n) {
                uint32_t ds[4];
                fragment(ds, s[2 * n], s[2 * n + 1]);
#pragma unroll
                for (int d = 0; d < D / 16; ++d) {
                    uint32_t b[4];
                    load_b_turned<D>(b, rows_k, n * 16, d);
                    mma_bf16(sums[2 * d], ds, b[0], b[1]);
                    mma_bf16(sums[2 * d + 1], ds, b[2], b[3]);
                }
            }
        }
    }
    float dots[2] = {0, 0};
    if (inverse_q) {
        project<D>(sums, tq, warp * 16, inverse, head_factor, dots);
    } else {
#pragma unroll
        for (int n = 0; n < D / 8; ++n)
#pragma unroll
            for (int c = 0; c < 4; ++c) sums[n][c] *= head_factor;
    }
    const int64_t base = head_offset(dqs, pair, heads);
    store_rows<D>(sums, tq + warp * 16 * P, is_float ? (void *)((float *)dq + base) : (void *)((uint16_t *)dq + base),
                  is_float, dqs.row, first + warp * 16, queries);
    if (dscale) {
        const float sum = warp_sum((t == 0 && own < queries ? dots[0] : 0.0f) +
                                   (t == 0 && own + 8 < queries ? dots[1] : 0.0f));
        if (lane == 0) partial[warp] = sum;
        __syncthreads();
        if (threadIdx.x == 0) {
            const int batches = gridDim.y / heads;
            dscale[((int64_t)(pair % heads) * batches + pair / heads) * gridDim.x + blockIdx.x] =
                scale * ((partial[0] + partial[1]) + (partial[2] + partial[3]));
        }
    }
}

// MARK: Gradients to the keys and values

// Grid (tiles of 64 keys, batch · heads). spans: per tile of keys the first tile of 64 queries that sees any
// of them and the end of the last; tiles: as in the forward pass, of 64 queries.
template <int D>
__device__ __forceinline__ void key_gradient(OPERANDS, const uint16_t *d_o, const float *logsumexp,
                                             const float *delta, const int *spans, void *dk,
                                             void *dv, int is_float, ROWS(dos), ROWS(dks),
                                             ROWS(dvs)) {
    GATHER(qs);
    GATHER(ks);
    GATHER(vs);
    GATHER(dos);
    GATHER(dks);
    GATHER(dvs);
    SHARED(memory);
    constexpr int P = D + 8;
    uint16_t *tk = (uint16_t *)memory, *tv = tk + KEYS * P, *tq = tv + KEYS * P, *to = tq + 2 * 64 * P;
    // Of each stage: logsumexp, delta, inverse norms, starts, ends.
    float *numbers = (float *)(to + 2 * 64 * P);
    const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, g = lane >> 2, t = lane & 3;
    const int first = blockIdx.x * KEYS, pair = blockIdx.y;
    q += head_offset(qs, pair, heads);
    d_o += head_offset(dos, pair, heads);
    logsumexp += (int64_t)pair * queries;
    delta += (int64_t)pair * queries;
    if (inverse_q) inverse_q += (int64_t)pair * queries;
    int tile = 0, last = (queries + 63) / 64;
    if (spans) tile = spans[2 * blockIdx.x], last = spans[2 * blockIdx.x + 1];

    auto skip = [&](int from) {
        while (tiles && from < last &&
               (tiles[2 * from] >= first + KEYS || tiles[2 * from + 1] <= first))
            ++from;
        return from;
    };
    auto copy_tile = [&](int which, int stage) {
        const int at = which * 64;
        copy_rows<D, 64>(q, qs.row, at, queries, tq + stage * 64 * P);
        copy_rows<D, 64>(d_o, dos.row, at, queries, to + stage * 64 * P);
        float *own = numbers + stage * 5 * 64;
        copy_numbers(logsumexp, at, queries, 0, own);
        copy_numbers(delta, at, queries, 64, own + 64);
        if (inverse_q) copy_numbers(inverse_q, at, queries, 0, own + 128);
        if (bounds) {
            copy_numbers(bounds, at, queries, 64, own + 192);
            copy_numbers(bounds + queries, at, queries, 64, own + 256);
        }
    };
    tile = skip(tile);
    copy_rows<D, KEYS>(k + head_offset(ks, pair, heads), ks.row, first, keys, tk);
    copy_rows<D, KEYS>(v + head_offset(vs, pair, heads), vs.row, first, keys, tv);
    if (tile < last) copy_tile(tile, 0);
    commit_copies();

    const int own = first + warp * 16 + g;
    const float head_factor = scale * (head_scale ? head_scale[pair % heads] : 1.0f);
    float inverse[2], sums_k[D / 8][4], sums_v[D / 8][4];
#pragma unroll
    for (int i = 0; i < 2; ++i)
        inverse[i] = inverse_k && own + 8 * i < keys
                         ? inverse_k[(int64_t)pair * keys + own + 8 * i] : 1.0f;
#pragma unroll
    for (int n = 0; n < D / 8; ++n)
#pragma unroll
        for (int c = 0; c < 4; ++c) sums_k[n][c] = sums_v[n][c] = 0;
    wait_for_copies<0>();
    __syncthreads();
    uint32_t a[IS_HELD(D) ? D / 16 : 1][4], av[IS_HELD(D) ? D / 16 : 1][4];
    if (IS_HELD(D)) {
#pragma unroll
        for (int d = 0; d < D / 16; ++d) {
            load_a<D>(a[d], tk, warp * 16, d);
            load_a<D>(av[d], tv, warp * 16, d);
        }
    }
    int stage = 0;
    while (tile < last) {
        wait_for_copies<0>();
        __syncthreads();
        const int next = skip(tile + 1);
        if (next < last) copy_tile(next, stage ^ 1);
        commit_copies();
        const int at = first + warp * 16;
        const float *own_numbers = numbers + stage * 5 * 64;
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            bool whole = true;
            if (bounds) {
                // Lane by lane, the queries of this half.
                const int *range = (const int *)own_numbers + 32 * half + lane;
                const int query = tile * 64 + 32 * half + lane;
                const bool any = range[192] < min(range[256], at + 16) && range[256] > at;
                if (!__any_sync(EVERY_LANE, any)) continue;
                whole = __all_sync(EVERY_LANE, (range[192] <= at && range[256] >= at + 16) ||
                                                   query >= queries);
            }
            const uint16_t *rows_q = tq + (stage * 64 + 32 * half) * P;
            const uint16_t *rows_o = to + (stage * 64 + 32 * half) * P;
            // Keys × queries.
            float s[4][4], p[4][4];
#pragma unroll
            for (int n = 0; n < 2; ++n) {
#pragma unroll
                for (int c = 0; c < 4; ++c)
                    s[2 * n][c] = s[2 * n + 1][c] = p[2 * n][c] = p[2 * n + 1][c] = 0;
#pragma unroll
                for (int d = 0; d < D / 16; ++d) {
                    const int held = IS_HELD(D) ? d : 0;
                    if (!IS_HELD(D)) {
                        load_a<D>(a[0], tk, warp * 16, d);
                        load_a<D>(av[0], tv, warp * 16, d);
                    }
                    uint32_t b[4];
                    load_b<D>(b, rows_q, n * 16, d);
                    mma_bf16(s[2 * n], a[held], b[0], b[1]);
                    mma_bf16(s[2 * n + 1], a[held], b[2], b[3]);
                    load_b<D>(b, rows_o, n * 16, d);
                    mma_bf16(p[2 * n], av[held], b[0], b[1]);
                    mma_bf16(p[2 * n + 1], av[held], b[2], b[3]);
                }
            }
#pragma unroll
            for (int n = 0; n < 4; ++n)
#pragma unroll
                for (int odd = 0; odd < 2; ++odd) {
                    const int column = 32 * half + n * 8 + 2 * t + odd;
                    const float reference = own_numbers[column] * LOG2E;
                    const float shift = own_numbers[64 + column];
                    const float factor =
                        head_factor * (inverse_q ? own_numbers[128 + column] : 1.0f);
                    const int *range = (const int *)own_numbers + column;
#pragma unroll
                    for (int i = 0; i < 2; ++i) {
                        const int c = 2 * i + odd;
                        float weight = exp2_fast(s[n][c] * (factor * LOG2E * inverse[i]) -
                                                 reference);
                        // Queries behind the last have no gradient, so their weights don't matter.
                        if (!whole &&
                            (own + 8 * i < range[192] || own + 8 * i >= range[256]))
                            weight = 0;
                        s[n][c] = weight;
                        p[n][c] = weight * (p[n][c] - shift) * factor;
                    }
                }
#pragma unroll
            for (int n = 0; n < 2; ++n) {
                uint32_t weights[4], ds[4];
                fragment(weights, s[2 * n], s[2 * n + 1]);
                fragment(ds, p[2 * n], p[2 * n + 1]);
#pragma unroll
                for (int d = 0; d < D / 16; ++d) {
                    uint32_t b[4];
                    load_b_turned<D>(b, rows_o, n * 16, d);
                    mma_bf16(sums_v[2 * d], weights, b[0], b[1]);
                    mma_bf16(sums_v[2 * d + 1], weights, b[2], b[3]);
                    load_b_turned<D>(b, rows_q, n * 16, d);
                    mma_bf16(sums_k[2 * d], ds, b[0], b[1]);
                    mma_bf16(sums_k[2 * d + 1], ds, b[2], b[3]);
                }
            }
        }
        tile = next;
        stage ^= 1;
    }
    if (inverse_k) {
        float dots[2];
        project<D>(sums_k, tk, warp * 16, inverse, 1, dots);
    }
    // A warp's rows of tk and tv are read by that warp alone, above.
    const int64_t base_k = head_offset(dks, pair, heads), base_v = head_offset(dvs, pair, heads);
    store_rows<D>(sums_k, tk + warp * 16 * P, is_float ? (void *)((float *)dk + base_k) : (void *)((uint16_t *)dk + base_k),
                  is_float, dks.row, first + warp * 16, keys);
    store_rows<D>(sums_v, tv + warp * 16 * P, is_float ? (void *)((float *)dv + base_v) : (void *)((uint16_t *)dv + base_v),
                  is_float, dvs.row, first + warp * 16, keys);
}

// MARK: Kernels

#define OF_QUERIES                                                                                 \
    const uint16_t *o, const uint16_t *d_o, const float *logsumexp, float *delta, void *dq,        \
        int is_float, float *dscale, ROWS(os), ROWS(dos), ROWS(dqs)
#define OF_KEYS                                                                                    \
    const uint16_t *d_o, const float *logsumexp, const float *delta, const int *spans, void *dk,   \
        void *dv, int is_float, ROWS(dos), ROWS(dks), ROWS(dvs)
#define KERNELS(D)                                                                                 \
    extern "C" __global__ void __launch_bounds__(THREADS)                                          \
        attention_dq_##D(OPERANDS, OF_QUERIES) {                                                   \
        query_gradient<D>(PASS, o, d_o, logsumexp, delta, dq, is_float, dscale, os_batch, os_head, \
                          os_row, dos_batch, dos_head, dos_row, dqs_batch, dqs_head, dqs_row);     \
    }                                                                                              \
    extern "C" __global__ void __launch_bounds__(THREADS, D <= 64 ? 3 : 2)                         \
        attention_dkv_##D(OPERANDS, OF_KEYS) {                                                     \
        key_gradient<D>(PASS, d_o, logsumexp, delta, spans, dk, dv, is_float, dos_batch, dos_head, \
                        dos_row, dks_batch, dks_head, dks_row, dvs_batch, dvs_head, dvs_row);      \
    }

KERNELS(32)
KERNELS(64)
KERNELS(128)
