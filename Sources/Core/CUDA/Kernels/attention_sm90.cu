// Attention of heads of 64 by Hopper's warpgroup products (after FlashAttention-3, Shah et al.,
// arXiv 2407.08608): bf16 operands, f32 sums and softmax. One warpgroup fetches keys and values, two others
// take 64 queries each. All sums have a fixed order. SPDX-License-Identifier: Apache-2.0
//
// With inverse norms of the rows, scores are of unit vectors, z_ij = s_h · (q_i·k_j)/(|q_i||k_j|), so they lie
// within ±s_h: while e^(−2s) is a normal number, s is the softmax's reference and no largest score is sought.

// Scores in ±this need no largest one: e^−80 and its square root of rounding are normal numbers.
#define BOUND 40.0f

// What a thread keeps of its two rows, 8 apart.
struct own_rows {
    int begin[2], end[2];
    float factor[2], reference[2], total[2];
};

// Scores to weights e^(z − reference), and their sums. FIXED: the reference stays.
template <bool FIXED>
__device__ __forceinline__ void weigh(float (&s)[TILE / 2], own_rows &own, float (&decay)[2],
                                      const float *norms, bool whole, int key) {
    const int t = threadIdx.x & 3;
#pragma unroll
    for (int n = 0; n < TILE / 8; ++n) {
        float2 column = make_float2(1, 1);
        if (norms) column = *(const float2 *)(norms + n * 8 + 2 * t);
#pragma unroll
        for (int i = 0; i < 2; ++i) {
            s[4 * n + 2 * i] *= column.x;
            s[4 * n + 2 * i + 1] *= column.y;
        }
    }
    if (!whole) {
#pragma unroll
        for (int n = 0; n < TILE / 8; ++n)
#pragma unroll
            for (int c = 0; c < 4; ++c) {
                const int at = key + n * 8 + 2 * t + c % 2;
                if (at < own.begin[c / 2] || at >= own.end[c / 2]) s[4 * n + c] = -INFINITY_F;
            }
    }
#pragma unroll
    for (int i = 0; i < 2; ++i) {
        if (!FIXED) {
            float next = -INFINITY_F;
#pragma unroll
            for (int n = 0; n < TILE / 8; ++n)
                next = fmaxf(next, fmaxf(s[4 * n + 2 * i], s[4 * n + 2 * i + 1]));
            next = fmaxf(own.reference[i], quad_max(next) * own.factor[i]);
            // A row that has seen nothing yet: any finite reference gives 2^−∞ = 0.
            decay[i] = next == -INFINITY_F ? 1.0f : exp2_fast(own.reference[i] - next);
            own.reference[i] = next;
        }
        const float shift = !FIXED && own.reference[i] == -INFINITY_F ? 0.0f : own.reference[i];
        float sum[2] = {0, 0};
#pragma unroll
        for (int n = 0; n < TILE / 8; ++n)
#pragma unroll
            for (int j = 0; j < 2; ++j) {
                float &x = s[4 * n + 2 * i + j];
                x = exp2_fast(fmaf(x, own.factor[i], -shift));
                sum[j] += x;
            }
        const float sums = sum[0] + sum[1];
        own.total[i] = FIXED ? own.total[i] + sums : own.total[i] * decay[i] + sums;
    }
}

// Tiles first… to last of the keys, pipelined: the scores of the next tile are multiplied while this one's
// weights are; exponentials run beside the product with the values.
template <bool FIXED>
__device__ __forceinline__ void walk(float (&o)[32], own_rows &own, uint32_t q_tile, const uint8_t *k_tiles,
                                     const uint8_t *v_tiles, const float *norms, uint64_t *full,
                                     uint64_t *empty, int low, int first, int last, int count) {
    const int lane = threadIdx.x & 31;
    const uint64_t operand = swizzled_operand();
    const uint32_t k_first = shared_address(k_tiles), v_first = shared_address(v_tiles);
    turn now;
    auto pass = [&]() {
        barrier_wait(full + now.stage, now.parity);
        if (lane == 0) barrier_arrive(empty + now.stage);
        now.next();
    };
    for (int tile = 0; tile < first; ++tile) pass();
    float s[TILE / 2], decay[2] = {1, 1};
    uint32_t p[TILE / 16][4];
    auto score = [&]() {
        wgmma_fence();
        const uint32_t k_tile = k_first + now.stage * TILE_BYTES;
#pragma unroll
        for (int d = 0; d < 4; ++d)
            product<TILE>::add(s, at(operand, q_tile + d * 32), at(operand, k_tile + d * 32), d);
        wgmma_commit();
    };
    auto mix = [&](int from, int adds) {
        const uint32_t v_tile = v_first + from * TILE_BYTES;
#pragma unroll
        for (int k = 0; k < TILE / 16; ++k)
            product_of_rows<64>::add(o, p[k], at(operand, v_tile + k * 16 * ROW_BYTES), k + adds);
        wgmma_commit();
    };
    auto sees = [&](int tile) {
        const int key = low + tile * TILE;
        bool whole = true;
#pragma unroll
        for (int i = 0; i < 2; ++i)
            whole &= own.begin[i] <= key && own.end[i] >= key + TILE;
        return (bool)__all_sync(EVERY_LANE, whole);
    };
    if (first < last) {
        barrier_wait(full + now.stage, now.parity);
        score();
        wgmma_wait<0>();
        hold(s);
        weigh<FIXED>(s, own, decay, norms ? norms + now.stage * TILE : nullptr, sees(first),
                           low + first * TILE);
        to_fragments(p, s);
        int before = now.stage;
        now.next();
        for (int tile = first + 1; tile < last; ++tile) {
            barrier_wait(full + now.stage, now.parity);
            score();
            mix(before, tile > first + 1);
            wgmma_wait<1>();
            hold(s);
            weigh<FIXED>(s, own, decay, norms ? norms + now.stage * TILE : nullptr, sees(tile),
                               low + tile * TILE);
            wgmma_wait<0>();
            hold(o);
            if (lane == 0) barrier_arrive(empty + before);
            if (!FIXED) {
#pragma unroll
                for (int n = 0; n < 32; ++n) o[n] *= decay[n % 4 / 2];
            }
            to_fragments(p, s);
            before = now.stage;
            now.next();
        }
        wgmma_fence();
        mix(before, last > first + 1);
        wgmma_wait<0>();
        hold(o);
        if (lane == 0) barrier_arrive(empty + before);
    }
    for (int tile = max(first, last); tile < count; ++tile) pass();
}

// Grid (tiles of OWN queries, batch · heads).
extern "C" __global__ void __launch_bounds__(THREADS, 1)
    attention_forward(OPERANDS, void *out, int is_float, float *logsumexp, ROWS(os)) {
    GATHER(qs);
    GATHER(ks);
    GATHER(vs);
    GATHER(os);
    extern __shared__ __align__(1024) unsigned char memory[];
    uint8_t *q_tiles = memory, *k_tiles = q_tiles + OWN * ROW_BYTES;
    uint8_t *v_tiles = k_tiles + STAGES * TILE_BYTES;
    float *norms = (float *)(v_tiles + STAGES * TILE_BYTES);
    uint64_t *full = (uint64_t *)(norms + STAGES * TILE), *empty = full + STAGES;
    const int group = threadIdx.x >> 7, pair = blockIdx.y;
    // Later maps are larger: they go first.
    const int block = gridDim.x - 1 - blockIdx.x, first_query = block * OWN;
    if (threadIdx.x == 0) {
        for (int i = 0; i < STAGES; ++i)
            barrier_init(full + i, 128), barrier_init(empty + i, 4 * GROUPS);
        fence_barriers();
    }
    __syncthreads();
    const int tile64 = block * GROUPS, tile_count = (queries + 63) / 64;
    int low = 0, high = keys;
    if (tiles) {
        low = keys, high = 0;
        for (int i = tile64; i < min(tile64 + GROUPS, tile_count); ++i)
            low = min(low, tiles[2 * i]), high = max(high, tiles[2 * i + 1]);
    }
    const int count = high > low ? (high - low + TILE - 1) / TILE : 0;

    if (group == GROUPS) {
        FEW_REGISTERS();
        k += head_offset(ks, pair, heads);
        v += head_offset(vs, pair, heads);
        if (inverse_k) inverse_k += (int64_t)pair * keys;
        turn now;
        int before = 0;
        for (int tile = 0; tile < count; ++tile) {
            const int key = low + tile * TILE, thread = threadIdx.x & 127;
            barrier_wait(empty + now.stage, now.parity ^ 1);
            copy_tile<TILE>(k, ks.row, key, keys, k_tiles + now.stage * TILE_BYTES);
            copy_tile<TILE>(v, vs.row, key, keys, v_tiles + now.stage * TILE_BYTES);
            if (inverse_k) {
                const bool valid = key + thread < keys;
                copy_async_4(norms + now.stage * TILE + thread, inverse_k + (valid ? key + thread : 0),
                             valid);
            }
            commit_copies();
            if (tile > 0) {
                wait_for_copies<1>();
                fence_shared();
                barrier_arrive(full + before);
            }
            before = now.stage;
            now.next();
        }
        if (count > 0) {
            wait_for_copies<0>();
            fence_shared();
            barrier_arrive(full + before);
        }
        return;
    }

    MANY_REGISTERS();
    uint8_t *q_tile = q_tiles + group * 64 * ROW_BYTES;
    copy_tile<64>(q + head_offset(qs, pair, heads), qs.row, first_query + group * 64, queries, q_tile);
    commit_copies();
    const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5 & 3, g = lane >> 2, t = lane & 3;
    const int row = first_query + group * 64 + warp * 16 + g;
    const float head_factor = scale * (head_scale ? head_scale[pair % heads] : 1.0f);
    const bool is_bounded = inverse_q && fabsf(head_factor) <= BOUND;
    own_rows own;
#pragma unroll
    for (int i = 0; i < 2; ++i) {
        const bool valid = row + 8 * i < queries;
        own.begin[i] = valid && bounds ? bounds[row + 8 * i] : 0;
        own.end[i] = valid ? (bounds ? bounds[queries + row + 8 * i] : keys) : 0;
        own.factor[i] =
            head_factor * LOG2E *
            (valid && inverse_q ? inverse_q[(int64_t)pair * queries + row + 8 * i] : 1.0f);
        own.reference[i] = is_bounded ? fabsf(head_factor) * LOG2E : -INFINITY_F;
        own.total[i] = 0;
        // Behind the last query anything may be seen.
        if (!valid) own.begin[i] = 0, own.end[i] = 1 << 30;
    }
    // The tiles that this warpgroup's queries see.
    int first = 0, last = count;
    if (tiles) {
        const int own_tile = tile64 + group;
        int from = 0, to = 0;
        if (own_tile < tile_count) from = tiles[2 * own_tile], to = tiles[2 * own_tile + 1];
        first = to > from ? (from - low) / TILE : 0;
        last = to > from ? (to - low + TILE - 1) / TILE : 0;
    }
    wait_for_copies<0>();
    fence_shared();
    group_barrier(group);
    float o[32];
#pragma unroll
    for (int i = 0; i < 32; ++i) o[i] = 0;
    const float *columns = inverse_k ? norms : nullptr;
    if (is_bounded)
        walk<true>(o, own, shared_address(q_tile), k_tiles, v_tiles, columns, full, empty, low,
                         first, last, count);
    else
        walk<false>(o, own, shared_address(q_tile), k_tiles, v_tiles, columns, full, empty, low,
                          first, last, count);

#pragma unroll
    for (int i = 0; i < 2; ++i) {
        const float sum = quad_sum(own.total[i]), inverse = sum > 0 ? 1.0f / sum : 0.0f;
#pragma unroll
        for (int n = 0; n < 8; ++n) o[4 * n + 2 * i] *= inverse, o[4 * n + 2 * i + 1] *= inverse;
        if (t == 0 && row + 8 * i < queries)
            logsumexp[(int64_t)pair * queries + row + 8 * i] =
                sum > 0 ? own.reference[i] * LN2 + logf(sum) : -INFINITY_F;
    }
    group_barrier(group);
    store_rows(o, q_tile, out, is_float, head_offset(os, pair, heads), os.row,
               first_query + group * 64, queries);
}
