// Attention of heads of 64 by Hopper's warpgroup products (after FlashAttention-3, Shah et al.,
// arXiv 2407.08608): bf16 operands, f32 sums and softmax. One warpgroup fetches queries, keys and values, three
// others take 64 queries each. All sums have a fixed order. SPDX-License-Identifier: Apache-2.0
//
// With inverse norms of the rows, scores are of unit vectors, z_ij = s_h · (q_i·k_j)/(|q_i||k_j|), so they lie
// within ±s_h: while e^(−2s) is a normal number, s is the softmax's reference and no largest score is sought.

// Warpgroups of a block that compute, 64 rows each; one more fetches. Of STAGES tiles one is announced when the
// copies of the next have begun, which waits for a free stage.
enum { GROUPS = 3, STAGES = 5, THREADS = 128 * (GROUPS + 1), OWN = 64 * GROUPS, OWN_BYTES = OWN * ROW_BYTES };
// Scores in ±this need no largest one: e^−80 and its square root of rounding are normal numbers.
#define BOUND 40.0f

// What a thread keeps of its two rows, 8 apart; references are logarithms to base 2.
struct own_rows {
    int begin[2], end[2];
    float factor[2], reference[2], total[2];
};

// The warpgroups begin their products in turn: while one's are under way the others have their exponentials.
__device__ __forceinline__ void take_turn(int group) {
    asm volatile("bar.sync %0, 256;" ::"r"(GROUPS + 1 + group) : "memory");
}
__device__ __forceinline__ void give_turn(int group) {
    asm volatile("bar.arrive %0, 256;" ::"r"(GROUPS + 1 + (group + 1 < GROUPS ? group + 1 : 0))
                 : "memory");
}

// Scores to weights 2^(z − reference), and their sums. FIXED: the reference stays, and the queries have their
// factors already.
template <bool FIXED>
__device__ __forceinline__ void weigh(float (&s)[TILE / 2], own_rows &own, float (&decay)[2],
                                      const float *norms, bool whole, int key) {
    const int t = threadIdx.x & 3;
    auto mask = [&](float value) {
#pragma unroll
        for (int n = 0; n < TILE / 8; ++n)
#pragma unroll
            for (int c = 0; c < 4; ++c) {
                const int at = key + n * 8 + 2 * t + c % 2;
                if (at < own.begin[c / 2] || at >= own.end[c / 2]) s[4 * n + c] = value;
            }
    };
    if (FIXED) {
#pragma unroll
        for (int n = 0; n < TILE / 8; ++n) {
            const float2 column = *(const float2 *)(norms + n * 8 + 2 * t);
#pragma unroll
            for (int c = 0; c < 4; ++c)
                s[4 * n + c] = exp2_fast(
                    fmaf(s[4 * n + c], c % 2 ? column.y : column.x, -own.reference[c / 2]));
        }
        // The branch also keeps the exponentials where they are: without it the compiler waits for the product
        // that they should run beside, and makes them then.
        if (!whole) mask(0);
    } else {
#pragma unroll
        for (int n = 0; n < TILE / 8; ++n) {
            const float2 column = *(const float2 *)(norms + n * 8 + 2 * t);
#pragma unroll
            for (int c = 0; c < 4; ++c)
                s[4 * n + c] *= own.factor[c / 2] * (c % 2 ? column.y : column.x);
        }
        if (!whole) mask(-INFINITY_F);
#pragma unroll
        for (int i = 0; i < 2; ++i) {
            float next = -INFINITY_F;
#pragma unroll
            for (int n = 0; n < TILE / 8; ++n)
                next = fmaxf(next, fmaxf(s[4 * n + 2 * i], s[4 * n + 2 * i + 1]));
            next = fmaxf(own.reference[i], quad_max(next));
            // A row that has seen nothing yet: any finite reference gives 2^−∞ = 0.
            decay[i] = next == -INFINITY_F ? 1.0f : exp2_fast(own.reference[i] - next);
            own.reference[i] = next;
            const float shift = next == -INFINITY_F ? 0.0f : next;
#pragma unroll
            for (int n = 0; n < TILE / 8; ++n)
#pragma unroll
                for (int j = 0; j < 2; ++j)
                    s[4 * n + 2 * i + j] = exp2_fast(s[4 * n + 2 * i + j] - shift);
        }
        if (!whole) mask(0);
    }
#pragma unroll
    for (int i = 0; i < 2; ++i) {
        float sum[2] = {0, 0};
#pragma unroll
        for (int n = 0; n < TILE / 8; ++n)
#pragma unroll
            for (int j = 0; j < 2; ++j) sum[j] += s[4 * n + 2 * i + j];
        const float sums = sum[0] + sum[1];
        own.total[i] = FIXED ? own.total[i] + sums : own.total[i] * decay[i] + sums;
    }
}

struct walked {
    const float *norms;
    uint64_t *full, *empty;
    uint32_t q_tile, k_tiles, v_tiles;
    int group, low, first, last, count;
};

// Tiles first… to last of the keys, pipelined: the scores of the next tile are multiplied while this one's
// weights are; exponentials run beside the product with the values.
template <bool FIXED>
__device__ __forceinline__ void walk(float (&o)[32], own_rows &own, turn<STAGES> &now, const walked &w) {
    const int lane = threadIdx.x & 31;
    const uint64_t operand = swizzled_operand();
    auto pass = [&]() {
        barrier_wait(w.full + now.stage, now.parity);
        take_turn(w.group);
        give_turn(w.group);
        if (lane == 0) barrier_arrive(w.empty + now.stage);
        now.next();
    };
    float s[TILE / 2], decay[2] = {1, 1};
    uint32_t p[TILE / 16][4];
    const uint64_t q_operand = at(operand, w.q_tile);
    auto score = [&]() {
        wgmma_fence();
        const uint64_t k_operand = at(operand, w.k_tiles + now.stage * TILE_BYTES);
#pragma unroll
        for (int d = 0; d < 4; ++d) product<TILE>::add(s, q_operand + 2 * d, k_operand + 2 * d, d);
        wgmma_commit();
    };
    auto mix = [&](int from, int adds) {
        const uint64_t v_operand = at(operand, w.v_tiles + from * TILE_BYTES);
#pragma unroll
        for (int k = 0; k < TILE / 16; ++k)
            product_of_rows(o, p[k], v_operand + k * ROW_BYTES, k + adds);
        wgmma_commit();
    };
    auto sees = [&](int tile) {
        const int key = w.low + tile * TILE;
        bool whole = true;
#pragma unroll
        for (int i = 0; i < 2; ++i)
            whole &= own.begin[i] <= key && own.end[i] >= key + TILE;
        return (bool)__all_sync(EVERY_LANE, whole);
    };
    for (int tile = 0; tile < w.first; ++tile) pass();
    if (w.first < w.last) {
        barrier_wait(w.full + now.stage, now.parity);
        take_turn(w.group);
        score();
        give_turn(w.group);
        const bool whole = sees(w.first);
        wgmma_wait<0>();
        hold(s);
        weigh<FIXED>(s, own, decay, w.norms + now.stage * TILE, whole, w.low + w.first * TILE);
        to_fragments(p, s);
        int before = now.stage;
        now.next();
        for (int tile = w.first + 1; tile < w.last; ++tile) {
            const bool whole = sees(tile);
            barrier_wait(w.full + now.stage, now.parity);
            take_turn(w.group);
            score();
            mix(before, 1);
            give_turn(w.group);
            wgmma_wait<1>();
            hold(s);
            weigh<FIXED>(s, own, decay, w.norms + now.stage * TILE, whole, w.low + tile * TILE);
            wgmma_wait<0>();
            hold(o);
            if (lane == 0) barrier_arrive(w.empty + before);
            if (!FIXED) {
#pragma unroll
                for (int n = 0; n < 32; ++n) o[n] *= decay[n % 4 / 2];
            }
            to_fragments(p, s);
            before = now.stage;
            now.next();
        }
        wgmma_fence();
        mix(before, 1);
        wgmma_wait<0>();
        hold(o);
        if (lane == 0) barrier_arrive(w.empty + before);
    }
    for (int tile = max(w.first, w.last); tile < w.count; ++tile) pass();
}

// An item's head of a sequence, its queries, the keys that they see, and those that each warpgroup's 64 see.
struct item_place {
    int pair, first, end, low = 0, count;
    const int *seen = nullptr;
    __device__ __forceinline__ item_place(int item, const int *items, int blocks, int queries, int keys) {
        // Later maps are larger: they go first.
        const int block = blocks - 1 - item % blocks;
        pair = item / blocks;
        first = block * OWN, end = min(queries, first + OWN);
        int high = keys;
        if (items) {
            seen = items + block * (2 + 2 * GROUPS) + 2;
            first = seen[-2], end = seen[-1];
            low = keys, high = 0;
            for (int i = 0; i < GROUPS; ++i) low = min(low, seen[2 * i]), high = max(high, seen[2 * i + 1]);
        }
        // Queries come with the first tile, so there is one even if they see nothing.
        count = high > low ? (high - low + TILE - 1) / TILE : 1;
    }
};

// Every block takes every gridDim.x-th of the items, up to OWN queries of a head of a sequence; the next one's
// operands come while this one is worked at.
extern "C" __global__ void __launch_bounds__(THREADS, 1)
    attention_forward(OPERANDS, int blocks, int pairs, void *out, int is_float, float *logsumexp, ROWS(os)) {
    GATHER(qs);
    GATHER(ks);
    GATHER(vs);
    GATHER(os);
    extern __shared__ __align__(1024) unsigned char memory[];
    uint8_t *q_tiles = memory, *k_tiles = q_tiles + 2 * OWN_BYTES;
    uint8_t *v_tiles = k_tiles + STAGES * TILE_BYTES;
    float *norms = (float *)(v_tiles + STAGES * TILE_BYTES);
    uint64_t *full = (uint64_t *)(norms + STAGES * TILE), *empty = full + STAGES, *free_q = empty + STAGES;
    const int group = threadIdx.x >> 7;
    if (threadIdx.x == 0) {
        for (int i = 0; i < STAGES; ++i)
            barrier_init(full + i, 128), barrier_init(empty + i, 4 * GROUPS);
        for (int i = 0; i < 2; ++i) barrier_init(free_q + i, 4 * GROUPS);
        fence_barriers();
    }
    __syncthreads();

    if (group == GROUPS) {
        registers_down<32>();
        turn<STAGES> now;
        turn<2> own;
        int before = -1;
        for (int item = blockIdx.x; item < blocks * pairs; item += gridDim.x) {
            const item_place own_item(item, items, blocks, queries, keys);
            const int pair = own_item.pair;
            const uint16_t *k_from = k + head_offset(ks, pair, heads);
            const uint16_t *v_from = v + head_offset(vs, pair, heads);
            barrier_wait(free_q + own.stage, own.parity ^ 1);
            copy_tile<OWN>(q + head_offset(qs, pair, heads), qs.row, own_item.first, own_item.end,
                           q_tiles + own.stage * OWN_BYTES);
            own.next();
            for (int tile = 0; tile < own_item.count; ++tile) {
                const int key = own_item.low + tile * TILE, thread = threadIdx.x & 127;
                barrier_wait(empty + now.stage, now.parity ^ 1);
                copy_tile<TILE>(k_from, ks.row, key, keys, k_tiles + now.stage * TILE_BYTES);
                copy_tile<TILE>(v_from, vs.row, key, keys, v_tiles + now.stage * TILE_BYTES);
                if (inverse_k) {
                    const bool valid = key + thread < keys;
                    copy_async_4(norms + now.stage * TILE + thread,
                                 inverse_k + (int64_t)pair * keys + (valid ? key + thread : 0), valid);
                } else {
                    norms[now.stage * TILE + thread] = 1;
                }
                commit_copies();
                if (before >= 0) {
                    wait_for_copies<1>();
                    fence_shared();
                    barrier_arrive(full + before);
                }
                before = now.stage;
                now.next();
            }
        }
        if (before >= 0) {
            wait_for_copies<0>();
            fence_shared();
            barrier_arrive(full + before);
        }
        return;
    }

    registers_up<160>();
    const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5 & 3, g = lane >> 2, t = lane & 3;
    turn<STAGES> now;
    turn<2> slot;
    if (group == GROUPS - 1) give_turn(group);
    for (int item = blockIdx.x; item < blocks * pairs; item += gridDim.x, slot.next()) {
        const item_place own_item(item, items, blocks, queries, keys);
        const int pair = own_item.pair, end = own_item.end;
        const int first_row = own_item.first + group * 64, row = first_row + warp * 16 + g;
        uint8_t *q_tile = q_tiles + slot.stage * OWN_BYTES + group * 64 * ROW_BYTES;
        const float head_factor = scale * (head_scale ? head_scale[pair % heads] : 1.0f);
        const bool is_bounded = inverse_q && fabsf(head_factor) <= BOUND;
        float factor[4];
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            const int at_row = first_row + i * 16 + (threadIdx.x >> 3 & 15);
            factor[i] = head_factor * LOG2E;
            if (inverse_q && at_row < end) factor[i] *= inverse_q[(int64_t)pair * queries + at_row];
        }
        own_rows own;
#pragma unroll
        for (int i = 0; i < 2; ++i) {
            const bool valid = row + 8 * i < end;
            own.begin[i] = valid && bounds ? bounds[row + 8 * i] : 0;
            own.end[i] = valid ? (bounds ? bounds[queries + row + 8 * i] : keys) : 0;
            own.factor[i] = head_factor * LOG2E;
            if (valid && inverse_q) own.factor[i] *= inverse_q[(int64_t)pair * queries + row + 8 * i];
            own.reference[i] = is_bounded ? fabsf(head_factor) * LOG2E : -INFINITY_F;
            own.total[i] = 0;
            // Behind the last query anything may be seen.
            if (!valid) own.begin[i] = 0, own.end[i] = 1 << 30;
        }
        walked w = {norms, full, empty, shared_address(q_tile), shared_address(k_tiles),
                    shared_address(v_tiles), group, own_item.low, 0, own_item.count, own_item.count};
        // The tiles that this warpgroup's queries see.
        if (items) {
            const int from = own_item.seen[2 * group], to = own_item.seen[2 * group + 1];
            w.first = to > from ? (from - own_item.low) / TILE : 0;
            w.last = to > from ? (to - own_item.low + TILE - 1) / TILE : 0;
        }
        barrier_wait(full + now.stage, now.parity);
        // Larger scores don't bear another rounding of the queries.
        if (is_bounded) {
            scale_rows(q_tile, factor);
            fence_shared();
        }
        group_barrier(group);
        float o[32];
#pragma unroll
        for (int i = 0; i < 32; ++i) o[i] = 0;
        if (is_bounded)
            walk<true>(o, own, now, w);
        else
            walk<false>(o, own, now, w);
#pragma unroll
        for (int i = 0; i < 2; ++i) {
            const float sum = quad_sum(own.total[i]), inverse = sum > 0 ? 1.0f / sum : 0.0f;
#pragma unroll
            for (int n = 0; n < 8; ++n) o[4 * n + 2 * i] *= inverse, o[4 * n + 2 * i + 1] *= inverse;
            if (t == 0 && row + 8 * i < end)
                logsumexp[(int64_t)pair * queries + row + 8 * i] =
                    sum > 0 ? own.reference[i] * LN2 + logf(sum) : -INFINITY_F;
        }
        group_barrier(group);
        store_rows(o, q_tile, out, is_float, head_offset(os, pair, heads), os.row, first_row, end);
        __syncwarp();
        if (lane == 0) barrier_arrive(free_q + slot.stage);
    }
    // Nobody waits at a barrier that a block leaves.
    if (group == 0) take_turn(0);
}
