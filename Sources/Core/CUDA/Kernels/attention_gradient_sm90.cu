// Gradients of attention of heads of 64 by Hopper's warpgroup products: bf16 operands, f32 sums in a fixed
// order. Two kernels, one that walks along the keys and one along the queries, each making the weights again
// from the logarithms of their sums. SPDX-License-Identifier: Apache-2.0
//
// A warpgroup fetches what walks by; two others take 64 rows each. With inverse norms see attention_sm90.cu.

__device__ __forceinline__ float low_half(uint32_t x) { return __uint_as_float(x << 16); }
__device__ __forceinline__ float high_half(uint32_t x) { return __uint_as_float(x & 0xffff0000u); }

// s (64 × TILE) = own (64 rows) · tileᵀ, begun.
__device__ __forceinline__ void score(float (&s)[TILE / 2], uint32_t own, uint32_t tile) {
    const uint64_t operand = swizzled_operand();
#pragma unroll
    for (int d = 0; d < 4; ++d)
        product<TILE>::add(s, at(operand, own + d * 32), at(operand, tile + d * 32), d);
    wgmma_commit();
}

// sums (64 × 64) += p (64 × TILE) · tile, begun.
__device__ __forceinline__ void mix(float (&sums)[32], const uint32_t (&p)[TILE / 16][4], uint32_t tile) {
    const uint64_t operand = swizzled_operand();
#pragma unroll
    for (int k = 0; k < TILE / 16; ++k)
        product_of_rows<64>::add(sums, p[k], at(operand, tile + k * 16 * ROW_BYTES), 1);
    wgmma_commit();
}

// From the gradient a of a unit vector x̂ to that of x, factor/|x| · (a − x̂ (x̂·a)), for 64 rows of sums; the
// rows x are in the tile. dots: x̂·a.
__device__ __forceinline__ void project(float (&sums)[32], const uint8_t *tile, const float (&inverse)[2],
                                        float factor, float (&dots)[2]) {
    const int lane = threadIdx.x & 31, g = lane >> 2, t = lane & 3;
    const int row = (threadIdx.x >> 5 & 3) * 16 + g;
#pragma unroll
    for (int i = 0; i < 2; ++i) {
        float dot = 0;
#pragma unroll
        for (int n = 0; n < 8; ++n) {
            const uint32_t x = *(const uint32_t *)(tile + piece(row + 8 * i, n) + 4 * t);
            dot += low_half(x) * sums[4 * n + 2 * i] + high_half(x) * sums[4 * n + 2 * i + 1];
        }
        dots[i] = quad_sum(dot) * inverse[i];
        // Below ε = 10⁻¹² the divisor is a constant.
        const float along = inverse[i] < 1e12f ? dots[i] * inverse[i] : 0.0f;
        const float scale = factor * inverse[i];
#pragma unroll
        for (int n = 0; n < 8; ++n) {
            const uint32_t x = *(const uint32_t *)(tile + piece(row + 8 * i, n) + 4 * t);
            sums[4 * n + 2 * i] = (sums[4 * n + 2 * i] - low_half(x) * along) * scale;
            sums[4 * n + 2 * i + 1] = (sums[4 * n + 2 * i + 1] - high_half(x) * along) * scale;
        }
    }
}

// MARK: To the queries

// Grid (tiles of OWN queries, batch · heads). Also writes, for the keys' pass, −log₂ Σ e^z and Σ o · do over
// the norm of q, numbers [2][batch][heads][queries], and, for unit vectors, the gradient of the heads' scales
// as one sum for every 64 queries: dscale [heads][batch][tiles].
extern "C" __global__ void __launch_bounds__(THREADS, 1)
    attention_dq(OPERANDS, const uint16_t *o, const uint16_t *d_o, const float *logsumexp,
                 float *numbers, void *dq, int is_float, float *dscale, ROWS(os), ROWS(dos), ROWS(dqs)) {
    GATHER(qs);
    GATHER(ks);
    GATHER(vs);
    GATHER(os);
    GATHER(dos);
    GATHER(dqs);
    extern __shared__ __align__(1024) unsigned char memory[];
    uint8_t *q_tiles = memory, *o_tiles = q_tiles + OWN * ROW_BYTES;
    uint8_t *k_tiles = o_tiles + OWN * ROW_BYTES, *v_tiles = k_tiles + STAGES * TILE_BYTES;
    float *norms = (float *)(v_tiles + STAGES * TILE_BYTES), *partial = norms + STAGES * TILE;
    uint64_t *full = (uint64_t *)(partial + 4 * GROUPS), *empty = full + STAGES;
    const int group = threadIdx.x >> 7, pair = blockIdx.y;
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
            const bool valid = inverse_k && key + thread < keys;
            if (inverse_k)
                copy_async_4(norms + now.stage * TILE + thread, inverse_k + (valid ? key + thread : 0),
                             valid);
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
    uint8_t *q_tile = q_tiles + group * 64 * ROW_BYTES, *o_tile = o_tiles + group * 64 * ROW_BYTES;
    const int first_row = first_query + group * 64;
    copy_tile<64>(q + head_offset(qs, pair, heads), qs.row, first_row, queries, q_tile);
    copy_tile<64>(d_o + head_offset(dos, pair, heads), dos.row, first_row, queries, o_tile);
    commit_copies();
    const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5 & 3, g = lane >> 2, t = lane & 3;
    const int row = first_row + warp * 16 + g;
    const float head_factor = scale * (head_scale ? head_scale[pair % heads] : 1.0f);
    int begin[2], end[2];
    float inverse[2], factor[2], reference[2], shift[2] = {0, 0};
#pragma unroll
    for (int i = 0; i < 2; ++i) {
        const int own = row + 8 * i;
        const bool valid = own < queries;
        begin[i] = valid && bounds ? bounds[own] : 0;
        end[i] = valid ? (bounds ? bounds[queries + own] : keys) : 0;
        inverse[i] = valid && inverse_q ? inverse_q[(int64_t)pair * queries + own] : 1.0f;
        factor[i] = head_factor * LOG2E * inverse[i];
        reference[i] = valid ? logsumexp[(int64_t)pair * queries + own] * LOG2E : INFINITY_F;
        // A row without keys has no weights.
        if (reference[i] == -INFINITY_F) reference[i] = INFINITY_F;
        if (!valid) begin[i] = 0, end[i] = 1 << 30;
    }
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
    o += head_offset(os, pair, heads);
#pragma unroll
    for (int i = 0; i < 2; ++i) {
        const int own = row + 8 * i;
        if (own < queries) {
#pragma unroll
            for (int n = 0; n < 8; ++n) {
                const uint32_t x = *(const uint32_t *)(o + own * os.row + n * 8 + 2 * t);
                const uint32_t y =
                    *(const uint32_t *)(o_tile + piece(warp * 16 + g + 8 * i, n) + 4 * t);
                shift[i] += low_half(x) * low_half(y) + high_half(x) * high_half(y);
            }
        }
        shift[i] = quad_sum(shift[i]);
        if (t == 0 && own < queries) {
            const int64_t where = (int64_t)pair * queries + own;
            numbers[where] = -reference[i];
            numbers[(int64_t)gridDim.y * queries + where] = shift[i] * inverse[i];
        }
    }

    float sums[32], s[TILE / 2], p[TILE / 2];
    uint32_t ds[TILE / 16][4];
#pragma unroll
    for (int i = 0; i < 32; ++i) sums[i] = 0;
    const uint32_t own_q = shared_address(q_tile), own_o = shared_address(o_tile);
    turn now;
    int before = -1;
    for (int tile = 0; tile < count; ++tile) {
        barrier_wait(full + now.stage, now.parity);
        if (tile < first || tile >= last) {
            if (before >= 0) {
                wgmma_wait<0>();
                hold(sums);
                if (lane == 0) barrier_arrive(empty + before);
                before = -1;
            }
            if (lane == 0) barrier_arrive(empty + now.stage);
            now.next();
            continue;
        }
        const int key = low + tile * TILE;
        const uint32_t k_tile = shared_address(k_tiles) + now.stage * TILE_BYTES;
        const uint32_t v_tile = shared_address(v_tiles) + now.stage * TILE_BYTES;
        const float *columns = norms + now.stage * TILE;
        wgmma_fence();
        score(s, own_q, k_tile);
        score(p, own_o, v_tile);
        bool whole = true;
#pragma unroll
        for (int i = 0; i < 2; ++i) whole &= begin[i] <= key && end[i] >= key + TILE;
        whole = __all_sync(EVERY_LANE, whole);
        wgmma_wait<1>();
        hold(s);
        if (before >= 0 && lane == 0) barrier_arrive(empty + before);
#pragma unroll
        for (int n = 0; n < TILE / 8; ++n) {
            float2 column = make_float2(1, 1);
            if (inverse_k) column = *(const float2 *)(columns + n * 8 + 2 * t);
#pragma unroll
            for (int c = 0; c < 4; ++c)
                s[4 * n + c] = exp2_fast(fmaf(s[4 * n + c] * (c % 2 ? column.y : column.x),
                                              factor[c / 2], -reference[c / 2]));
        }
        if (!whole) {
#pragma unroll
            for (int n = 0; n < TILE / 8; ++n)
#pragma unroll
                for (int c = 0; c < 4; ++c) {
                    const int where = key + n * 8 + 2 * t + c % 2;
                    if (where < begin[c / 2] || where >= end[c / 2]) s[4 * n + c] = 0;
                }
        }
        // Or the compiler would put the exponentials off until the product is done.
        hold(s);
        wgmma_wait<0>();
        hold(p);
        hold(sums);
#pragma unroll
        for (int n = 0; n < TILE / 8; ++n) {
            float2 column = make_float2(1, 1);
            if (inverse_k) column = *(const float2 *)(columns + n * 8 + 2 * t);
#pragma unroll
            for (int c = 0; c < 4; ++c)
                s[4 * n + c] *= (p[4 * n + c] - shift[c / 2]) * (c % 2 ? column.y : column.x);
        }
        to_fragments(ds, s);
        wgmma_fence();
        mix(sums, ds, k_tile);
        before = now.stage;
        now.next();
    }
    wgmma_wait<0>();
    hold(sums);
    if (before >= 0 && lane == 0) barrier_arrive(empty + before);

    float dots[2] = {0, 0};
    if (inverse_q) {
        project(sums, q_tile, inverse, head_factor, dots);
    } else {
#pragma unroll
        for (int n = 0; n < 32; ++n) sums[n] *= head_factor;
    }
    group_barrier(group);
    store_rows(sums, q_tile, dq, is_float, head_offset(dqs, pair, heads), dqs.row, first_row, queries);
    if (dscale) {
        const float sum = warp_sum((t == 0 && row < queries ? dots[0] : 0.0f) +
                                   (t == 0 && row + 8 < queries ? dots[1] : 0.0f));
        if (lane == 0) partial[group * 4 + warp] = sum;
        group_barrier(group);
        if ((threadIdx.x & 127) == 0 && tile64 + group < tile_count) {
            const int batches = gridDim.y / heads;
            const float *own = partial + group * 4;
            dscale[((int64_t)(pair % heads) * batches + pair / heads) * tile_count + tile64 + group] =
                scale * ((own[0] + own[1]) + (own[2] + own[3]));
        }
    }
}

// MARK: To the keys and values

// Grid (tiles of OWN keys, batch · heads). spans: per 64 keys the first 64 queries of which any sees any of
// them, and the end of the last.
extern "C" __global__ void __launch_bounds__(THREADS, 1)
    attention_dkv(OPERANDS, const uint16_t *d_o, const float *numbers, const int *spans,
                  void *dk, void *dv, int is_float, ROWS(dos), ROWS(dks), ROWS(dvs)) {
    GATHER(qs);
    GATHER(ks);
    GATHER(vs);
    GATHER(dos);
    GATHER(dks);
    GATHER(dvs);
    extern __shared__ __align__(1024) unsigned char memory[];
    uint8_t *k_own = memory, *v_own = k_own + OWN * ROW_BYTES;
    uint8_t *q_tiles = v_own + OWN * ROW_BYTES, *o_tiles = q_tiles + STAGES * TILE_BYTES;
    // Of each stage: the numbers of attention_dq, inverse norms, starts, ends.
    float *columns = (float *)(o_tiles + STAGES * TILE_BYTES);
    uint64_t *full = (uint64_t *)(columns + STAGES * 5 * TILE), *empty = full + STAGES;
    const int group = threadIdx.x >> 7, pair = blockIdx.y;
    // Seen by the queries of later maps too, the first keys have most to do; in block-diagonal masks the last.
    const int block = gridDim.x - 1 - blockIdx.x, first_key = block * OWN;
    if (threadIdx.x == 0) {
        for (int i = 0; i < STAGES; ++i)
            barrier_init(full + i, 128), barrier_init(empty + i, 4 * GROUPS);
        fence_barriers();
    }
    __syncthreads();
    const int tile64 = block * GROUPS, key_tiles = (keys + 63) / 64;
    int low = 0, high = queries;
    if (spans) {
        low = queries, high = 0;
        for (int i = tile64; i < min(tile64 + GROUPS, key_tiles); ++i)
            if (spans[2 * i + 1] > spans[2 * i])
                low = min(low, 64 * spans[2 * i]), high = max(high, 64 * spans[2 * i + 1]);
    }
    const int count = high > low ? (high - low + TILE - 1) / TILE : 0;

    if (group == GROUPS) {
        FEW_REGISTERS();
        q += head_offset(qs, pair, heads);
        d_o += head_offset(dos, pair, heads);
        const float *shifts = numbers + ((int64_t)gridDim.y + pair) * queries;
        numbers += (int64_t)pair * queries;
        if (inverse_q) inverse_q += (int64_t)pair * queries;
        turn now;
        int before = 0;
        for (int tile = 0; tile < count; ++tile) {
            const int query = low + tile * TILE, thread = threadIdx.x & 127;
            barrier_wait(empty + now.stage, now.parity ^ 1);
            copy_tile<TILE>(q, qs.row, query, queries, q_tiles + now.stage * TILE_BYTES);
            copy_tile<TILE>(d_o, dos.row, query, queries, o_tiles + now.stage * TILE_BYTES);
            float *own = columns + now.stage * 5 * TILE + thread;
            const bool valid = query + thread < queries;
            const int from = valid ? query + thread : 0;
            copy_async_4(own, numbers + from, valid);
            copy_async_4(own + TILE, shifts + from, valid);
            if (inverse_q) copy_async_4(own + 2 * TILE, inverse_q + from, valid);
            if (bounds) {
                copy_async_4(own + 3 * TILE, bounds + from, valid);
                copy_async_4(own + 4 * TILE, bounds + queries + from, valid);
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
    uint8_t *k_tile = k_own + group * 64 * ROW_BYTES, *v_tile = v_own + group * 64 * ROW_BYTES;
    const int first_row = first_key + group * 64;
    copy_tile<64>(k + head_offset(ks, pair, heads), ks.row, first_row, keys, k_tile);
    copy_tile<64>(v + head_offset(vs, pair, heads), vs.row, first_row, keys, v_tile);
    commit_copies();
    const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5 & 3, g = lane >> 2, t = lane & 3;
    const int at_row = first_row + warp * 16, row = at_row + g;
    const float head_factor = scale * (head_scale ? head_scale[pair % heads] : 1.0f);
    float inverse[2];
#pragma unroll
    for (int i = 0; i < 2; ++i)
        inverse[i] = inverse_k && row + 8 * i < keys ? inverse_k[(int64_t)pair * keys + row + 8 * i]
                                                     : 1.0f;
    const float factors[2] = {inverse[0] * head_factor * LOG2E, inverse[1] * head_factor * LOG2E};
    int first = 0, last = count;
    if (spans) {
        const int own_tile = tile64 + group;
        int from = 0, to = 0;
        if (own_tile < key_tiles) from = 64 * spans[2 * own_tile], to = 64 * spans[2 * own_tile + 1];
        first = to > from ? (from - low) / TILE : 0;
        last = to > from ? (to - low + TILE - 1) / TILE : 0;
    }
    wait_for_copies<0>();
    fence_shared();
    group_barrier(group);

    float sums_k[32], sums_v[32], s[TILE / 2], p[TILE / 2];
    uint32_t weights[TILE / 16][4], ds[TILE / 16][4];
#pragma unroll
    for (int i = 0; i < 32; ++i) sums_k[i] = sums_v[i] = 0;
    const uint32_t own_k = shared_address(k_tile), own_v = shared_address(v_tile);
    const uint32_t q_first = shared_address(q_tiles), o_first = shared_address(o_tiles);
    turn now;
    auto pass = [&]() {
        barrier_wait(full + now.stage, now.parity);
        if (lane == 0) barrier_arrive(empty + now.stage);
        now.next();
    };
    for (int tile = 0; tile < first; ++tile) pass();
    auto add = [&](int tile) {
        const int query = low + tile * TILE, stage = now.stage;
        const float *own = columns + stage * 5 * TILE;
        const int *ranges = (const int *)own + 3 * TILE;
        barrier_wait(full + stage, now.parity);
        wgmma_fence();
        // Keys × queries.
        score(s, own_k, q_first + stage * TILE_BYTES);
        score(p, own_v, o_first + stage * TILE_BYTES);
        bool whole = true;
        if (bounds) {
#pragma unroll
            for (int i = 0; i < TILE / 32; ++i) {
                const int column = lane + 32 * i;
                whole &= (ranges[column] <= at_row && ranges[TILE + column] >= at_row + 16) ||
                         query + column >= queries;
            }
        }
        whole = __all_sync(EVERY_LANE, whole);
        wgmma_wait<1>();
        hold(s);
#pragma unroll
        for (int n = 0; n < TILE / 8; ++n) {
            const int column = n * 8 + 2 * t;
            const float2 reference = *(const float2 *)(own + column);
            float2 factor = make_float2(1, 1);
            if (inverse_q) factor = *(const float2 *)(own + 2 * TILE + column);
#pragma unroll
            for (int c = 0; c < 4; ++c)
                s[4 * n + c] =
                    exp2_fast(fmaf(s[4 * n + c] * factors[c / 2], c % 2 ? factor.y : factor.x,
                                   c % 2 ? reference.y : reference.x));
        }
        if (!whole) {
#pragma unroll
            for (int n = 0; n < TILE / 8; ++n)
#pragma unroll
                for (int c = 0; c < 4; ++c) {
                    const int column = n * 8 + 2 * t + c % 2, key = row + 8 * (c / 2);
                    // Queries behind the last have no gradient, so their weights don't matter.
                    if (key < ranges[column] || key >= ranges[TILE + column]) s[4 * n + c] = 0;
                }
        }
        to_fragments(weights, s);
        // Or the compiler would put the exponentials off until the product is done.
        hold(weights);
        wgmma_wait<0>();
        hold(p);
        wgmma_fence();
        mix(sums_v, weights, o_first + stage * TILE_BYTES);
#pragma unroll
        for (int n = 0; n < TILE / 8; ++n) {
            const int column = n * 8 + 2 * t;
            const float2 shift = *(const float2 *)(own + TILE + column);
            float2 factor = make_float2(1, 1);
            if (inverse_q) factor = *(const float2 *)(own + 2 * TILE + column);
#pragma unroll
            for (int i = 0; i < 2; ++i) {
                // Rounded once, as the values' gradient takes them: nobody keeps more of them.
                const uint32_t both = weights[n / 2][n % 2 * 2 + i];
                ds[n / 2][n % 2 * 2 + i] =
                    to_bf16x2(low_half(both) * fmaf(p[4 * n + 2 * i], factor.x, -shift.x),
                              high_half(both) * fmaf(p[4 * n + 2 * i + 1], factor.y, -shift.y));
            }
        }
        wgmma_fence();
        mix(sums_k, ds, q_first + stage * TILE_BYTES);
        now.next();
        wgmma_wait<0>();
        hold(sums_v);
        hold(sums_k);
        if (lane == 0) barrier_arrive(empty + stage);
    };
    for (int tile = first; tile < last; ++tile) add(tile);
    for (int tile = max(first, last); tile < count; ++tile) pass();
#pragma unroll
    for (int i = 0; i < 32; ++i) sums_k[i] *= head_factor;
    if (inverse_k) {
        float dots[2];
        project(sums_k, k_tile, inverse, 1, dots);
    }
    group_barrier(group);
    store_rows(sums_k, k_tile, dk, is_float, head_offset(dks, pair, heads), dks.row, first_row, keys);
    store_rows(sums_v, v_tile, dv, is_float, head_offset(dvs, pair, heads), dvs.row, first_row, keys);
}
