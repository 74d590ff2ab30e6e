// Gradients of attention of heads of 64 by Hopper's warpgroup products (after FlashAttention-3, Shah et al.,
// arXiv 2407.08608): bf16 operands, f32 sums. SPDX-License-Identifier: Apache-2.0
//
// A block has 128 keys and walks along the queries that see any of them. With inverse norms see attention_sm90.cu;
// keys are held as unit vectors times the scores' factor to base 2, unless that is large: then they stay as they are,
// as rounding them once more would be felt.

// Warpgroups of a block that compute, 64 rows each; one more fetches. Of STAGES tiles one is announced when the
// copies of the next have begun, which waits for a free stage.
enum { GROUPS = 2, STAGES = 3, THREADS = 128 * (GROUPS + 1), OWN = 64 * GROUPS, OWN_BYTES = OWN * ROW_BYTES };
// Values of 64 queries' sums, in the order of the products' registers.
enum { SUMS = 64 * 64 };

// What walks by beside a tile of queries and of their outputs' gradients.
struct columns {
    // −log₂ Σ e^z and 1/|q|; 1/|q| and Σ o · do / |q|.
    float2 scores[TILE], shifts[TILE];
    int begin[TILE], end[TILE];
};

__device__ __forceinline__ void copy_async_8(void *shared, const void *global, bool valid) {
    asm volatile("cp.async.ca.shared.global [%0], [%1], 8, %2;" ::"r"(shared_address(shared)),
                 "l"(__cvta_generic_to_global(global)), "r"(valid ? 8 : 0)
                 : "memory");
}

// Four 8 × 8 matrices, transposed; lane l gives the address of row l % 8 of matrix l / 8.
__device__ __forceinline__ void store_matrices_transposed(uint32_t row, const uint32_t (&r)[4]) {
    asm volatile("stmatrix.sync.aligned.m8n8.x4.trans.shared.b16 [%0], {%1, %2, %3, %4};" ::"r"(row),
                 "r"(r[0]), "r"(r[1]), "r"(r[2]), "r"(r[3])
                 : "memory");
}

__device__ __forceinline__ void add_to_memory(float *to, float a, float b, float c, float d) {
    asm volatile("red.relaxed.gpu.global.add.v4.f32 [%0], {%1, %2, %3, %4};" ::"l"(
                     __cvta_generic_to_global(to)),
                 "f"(a), "f"(b), "f"(c), "f"(d)
                 : "memory");
}

// Products of two pairs of bf16.
__device__ __forceinline__ uint32_t multiply_halves(uint32_t a, uint32_t b) {
    uint32_t c;
    asm("mul.rn.bf16x2 %0, %1, %2;" : "=r"(c) : "r"(a), "r"(b));
    return c;
}

__device__ __forceinline__ void both_groups() { asm volatile("bar.sync 3, 256;" ::: "memory"); }

// sums − x (x · sums) · factor for 64 rows of sums, the rows x in the tile. dots: x · sums.
__device__ __forceinline__ void project(float (&sums)[32], const uint8_t *tile, const float (&factor)[2],
                                        float (&dots)[2]) {
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
        dots[i] = quad_sum(dot);
        const float along = dots[i] * factor[i];
#pragma unroll
        for (int n = 0; n < 8; ++n) {
            const uint32_t x = *(const uint32_t *)(tile + piece(row + 8 * i, n) + 4 * t);
            sums[4 * n + 2 * i] -= low_half(x) * along;
            sums[4 * n + 2 * i + 1] -= high_half(x) * along;
        }
    }
}

// MARK: Before

// Grid (tiles of 64 queries, batch · heads). What the gradients need of every query, numbers [batch · heads][queries]
// [4]: −log₂ Σ e^z, 1/|q| twice, Σ o · do / |q|; and zeros for the queries' sums.
extern "C" __global__ void __launch_bounds__(256)
    attention_before(const uint16_t *o, const uint16_t *d_o, const float *logsumexp, const float *inverse_q,
                     float4 *numbers, float4 *sums, int heads, int queries, ROWS(os), ROWS(dos)) {
    GATHER(os);
    GATHER(dos);
    const int pair = blockIdx.y, thread = threadIdx.x, part = thread & 3;
    const int query = blockIdx.x * 64 + (thread >> 2);
    sums += ((int64_t)pair * gridDim.x + blockIdx.x) * (SUMS / 4);
#pragma unroll
    for (int i = 0; i < SUMS / 4 / 256; ++i) sums[i * 256 + thread] = make_float4(0, 0, 0, 0);
    float shift = 0;
    if (query < queries) {
        const uint4 *x = (const uint4 *)(o + head_offset(os, pair, heads) + query * os.row);
        const uint4 *y = (const uint4 *)(d_o + head_offset(dos, pair, heads) + query * dos.row);
#pragma unroll
        for (int i = 0; i < 2; ++i) {
            const uint4 a = x[part + 4 * i], b = y[part + 4 * i];
            shift += low_half(a.x) * low_half(b.x) + high_half(a.x) * high_half(b.x);
            shift += low_half(a.y) * low_half(b.y) + high_half(a.y) * high_half(b.y);
            shift += low_half(a.z) * low_half(b.z) + high_half(a.z) * high_half(b.z);
            shift += low_half(a.w) * low_half(b.w) + high_half(a.w) * high_half(b.w);
        }
    }
    shift = quad_sum(shift);
    if (part == 0 && query < queries) {
        const int64_t at = (int64_t)pair * queries + query;
        const float inverse = inverse_q ? inverse_q[at] : 1.0f, sum = logsumexp[at];
        // A query without keys has no weights.
        numbers[at] = make_float4(sum == -INFINITY_F ? sum : -sum * LOG2E, inverse, inverse, shift * inverse);
    }
}

// MARK: Keys, values and sums for the queries

// Grid (items, batch · heads), each of up to OWN keys: of an item its keys and the queries that see any of them, the
// first a multiple of 64. sums [batch · heads][tiles of 64 queries][SUMS]: + Σ ds k.
extern "C" __global__ void __launch_bounds__(THREADS, 1)
    attention_gradients(OPERANDS, const uint16_t *d_o, const float *numbers, float *sums,
                        void *dk, void *dv, int is_float, ROWS(dos), ROWS(dks), ROWS(dvs)) {
    GATHER(qs);
    GATHER(ks);
    GATHER(vs);
    GATHER(dos);
    GATHER(dks);
    GATHER(dvs);
    extern __shared__ __align__(1024) unsigned char memory[];
    uint8_t *k_own = memory, *v_own = k_own + OWN_BYTES, *ds_tiles = v_own + OWN_BYTES;
    uint8_t *q_tiles = ds_tiles + 2 * GROUPS * TILE_BYTES, *o_tiles = q_tiles + STAGES * TILE_BYTES;
    columns *beside = (columns *)(o_tiles + STAGES * TILE_BYTES);
    uint64_t *full = (uint64_t *)(beside + STAGES), *empty = full + STAGES;
    const int group = threadIdx.x >> 7, pair = blockIdx.y;
    // Seen by the queries of later maps too, the first keys have most to do; in block-diagonal masks the last.
    const int block = gridDim.x - 1 - blockIdx.x;
    int first_key = block * OWN, end_key = min(keys, first_key + OWN), low = 0, high = queries;
    if (items) {
        const int *own = items + 4 * block;
        first_key = own[0], end_key = own[1], low = own[2], high = own[3];
    }
    const int tile_count = (queries + 63) / 64;
    const int count = high > low ? (high - low + TILE - 1) / TILE : 0;
    if (threadIdx.x == 0) {
        for (int i = 0; i < STAGES; ++i)
            barrier_init(full + i, 128), barrier_init(empty + i, 4 * GROUPS);
        fence_barriers();
    }
    __syncthreads();
    if (group == GROUPS) {
        registers_down<24>();
        q += head_offset(qs, pair, heads);
        d_o += head_offset(dos, pair, heads);
        numbers += (int64_t)pair * queries * 4;
        turn<STAGES> now;
        int before = 0;
        for (int tile = 0; tile < count; ++tile) {
            const int query = low + tile * TILE, thread = threadIdx.x & 127;
            barrier_wait(empty + now.stage, now.parity ^ 1);
            copy_tile<TILE>(q, qs.row, query, queries, q_tiles + now.stage * TILE_BYTES);
            copy_tile<TILE>(d_o, dos.row, query, queries, o_tiles + now.stage * TILE_BYTES);
            columns *own = beside + now.stage;
            const bool valid = query + thread < queries;
            const int from = valid ? query + thread : 0;
            copy_async_8(own->scores + thread, numbers + 4 * from, valid);
            copy_async_8(own->shifts + thread, numbers + 4 * from + 2, valid);
            if (bounds) {
                copy_async_4(own->begin + thread, bounds + from, valid);
                copy_async_4(own->end + thread, bounds + queries + from, valid);
            } else {
                own->begin[thread] = 0, own->end[thread] = keys;
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

    registers_up<240>();
    uint8_t *k_tile = k_own + group * TILE_BYTES / 2, *v_tile = v_own + group * TILE_BYTES / 2;
    const int first_row = first_key + group * 64;
    copy_tile<64>(k + head_offset(ks, pair, heads), ks.row, first_row, end_key, k_tile);
    copy_tile<64>(v + head_offset(vs, pair, heads), vs.row, first_row, end_key, v_tile);
    commit_copies();
    const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5 & 3, g = lane >> 2, t = lane & 3;
    const int at_row = first_row + warp * 16, row = at_row + g;
    const float head_factor = scale * (head_scale ? head_scale[pair % heads] : 1.0f);
    const float unit = head_factor * LOG2E;
    const bool is_scaled = inverse_k && fabsf(head_factor) <= 40.0f;
    float factor[4];
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        const int own = first_row + i * 16 + (threadIdx.x >> 3 & 15);
        factor[i] = unit * (inverse_k && own < end_key ? inverse_k[(int64_t)pair * keys + own] : 1.0f);
    }
    wait_for_copies<0>();
    if (is_scaled) scale_rows(k_tile, factor);
    fence_shared();
    both_groups();
    // Of this thread's keys, where they are not scaled.
    float inverse[2], factors[2];
    uint32_t halves[2];
#pragma unroll
    for (int i = 0; i < 2; ++i) {
        inverse[i] = inverse_k && row + 8 * i < end_key ? inverse_k[(int64_t)pair * keys + row + 8 * i] : 1.0f;
        factors[i] = unit * inverse[i];
        halves[i] = to_bf16x2(factors[i], factors[i]);
    }

    float sums_k[32], sums_v[32];
#pragma unroll
    for (int i = 0; i < 32; ++i) sums_k[i] = sums_v[i] = 0;
    const uint64_t operand = swizzled_operand();
    const uint64_t own_k = at(operand, shared_address(k_tile)), own_v = at(operand, shared_address(v_tile));
    const uint64_t all_k = at(operand, shared_address(k_own));
    const uint32_t ds_first = shared_address(ds_tiles);
    // This lane's row of the matrices that it stores: queries run along rows, keys along them.
    const uint32_t ds_lane = ds_first + group * TILE_BYTES +
                             piece((lane >> 4) * 8 + (lane & 7), 2 * warp + (lane >> 3 & 1));
    float *to = sums + ((int64_t)pair * tile_count + low / 64 + group) * SUMS + (threadIdx.x & 127) * 4;
    turn<STAGES> now;
    for (int tile = 0; tile < count; ++tile) {
        const int query = low + tile * TILE, stage = now.stage;
        const columns *own = beside + stage;
        float s[TILE / 2], p[TILE / 2];
        const uint64_t q_tile = at(operand, shared_address(q_tiles) + stage * TILE_BYTES);
        const uint64_t o_tile = at(operand, shared_address(o_tiles) + stage * TILE_BYTES);
        barrier_wait(full + stage, now.parity);
        wgmma_fence();
#pragma unroll
        for (int d = 0; d < 4; ++d) product<TILE>::add(s, own_k + 2 * d, q_tile + 2 * d, d);
        wgmma_commit();
#pragma unroll
        for (int d = 0; d < 4; ++d) product<TILE>::add(p, own_v + 2 * d, o_tile + 2 * d, d);
        wgmma_commit();
        bool whole = at_row + 16 <= end_key;
#pragma unroll
        for (int i = 0; i < TILE / 32; ++i) {
            const int column = lane + 32 * i;
            whole &= (own->begin[column] <= at_row && own->end[column] >= at_row + 16) ||
                     query + column >= queries;
        }
        whole = __all_sync(EVERY_LANE, whole);
        wgmma_wait<1>();
        hold(s);
        uint32_t weights[TILE / 16][4], ds[TILE / 16][4];
        if (!is_scaled) {
#pragma unroll
            for (int i = 0; i < TILE / 2; ++i) s[i] *= factors[i / 2 % 2];
        }
#pragma unroll
        for (int n = 0; n < TILE / 8; ++n) {
            // Of two columns.
            const float4 x = *(const float4 *)(own->scores + n * 8 + 2 * t);
#pragma unroll
            for (int c = 0; c < 4; ++c)
                s[4 * n + c] = exp2_fast(fmaf(s[4 * n + c], c % 2 ? x.w : x.y, c % 2 ? x.z : x.x));
        }
        if (!whole) {
#pragma unroll
            for (int n = 0; n < TILE / 8; ++n)
#pragma unroll
                for (int c = 0; c < 4; ++c) {
                    const int column = n * 8 + 2 * t + c % 2, key = row + 8 * (c / 2);
                    if (key < own->begin[column] || key >= own->end[column] || key >= end_key)
                        s[4 * n + c] = 0;
                }
        }
        to_fragments(weights, s);
        // Or the compiler would put the exponentials off until the product is done.
        hold(weights);
        wgmma_wait<0>();
        hold(p);
        wgmma_fence();
#pragma unroll
        for (int k = 0; k < TILE / 16; ++k)
            product_of_rows(sums_v, weights[k], o_tile + k * ROW_BYTES, 1);
        wgmma_commit();
#pragma unroll
        for (int n = 0; n < TILE / 8; ++n) {
            const float4 x = *(const float4 *)(own->shifts + n * 8 + 2 * t);
#pragma unroll
            for (int i = 0; i < 2; ++i) {
                ds[n / 2][n % 2 * 2 + i] =
                    multiply_halves(weights[n / 2][n % 2 * 2 + i],
                                    to_bf16x2(fmaf(p[4 * n + 2 * i], x.x, -x.y),
                                              fmaf(p[4 * n + 2 * i + 1], x.z, -x.w)));
            }
        }
        // Two buffers by turns: who has come to the barrier below has ended the products of the tile before.
        const uint32_t ds_tile = tile % 2 * GROUPS * TILE_BYTES;
#pragma unroll
        for (int k = 0; k < TILE / 16; ++k) {
            if (is_scaled) {
                store_matrices_transposed(ds_lane + ds_tile + k * 16 * ROW_BYTES, ds[k]);
            } else {
                uint32_t scaled[4];
#pragma unroll
                for (int i = 0; i < 4; ++i) scaled[i] = multiply_halves(ds[k][i], halves[i % 2]);
                store_matrices_transposed(ds_lane + ds_tile + k * 16 * ROW_BYTES, scaled);
            }
        }
        fence_shared();
        both_groups();
        float dq[32];
        const uint64_t ds_rows = at(operand, ds_first + ds_tile + group * 64 * ROW_BYTES);
        wgmma_fence();
#pragma unroll
        for (int k = 0; k < OWN / 16; ++k)
            product_of_tiles(dq, ds_rows + k / 4 * (TILE_BYTES >> 4) + k % 4 * 2, all_k + k * ROW_BYTES, k);
        wgmma_commit();
#pragma unroll
        for (int k = 0; k < TILE / 16; ++k)
            product_of_rows(sums_k, ds[k], q_tile + k * ROW_BYTES, 1);
        wgmma_commit();
        now.next();
        wgmma_wait<1>();
        hold(dq);
        hold(sums_v);
        if (query / 64 + group < tile_count) {
#pragma unroll
            for (int n = 0; n < 8; ++n)
                add_to_memory(to + n * 512, dq[4 * n], dq[4 * n + 1], dq[4 * n + 2], dq[4 * n + 3]);
        }
        to += 2 * SUMS;
        wgmma_wait<0>();
        hold(sums_k);
        if (lane == 0) barrier_arrive(empty + stage);
    }
    if (inverse_k) {
        // Those below ε = 10⁻¹² have a constant divisor.
        float along[2], dots[2];
#pragma unroll
        for (int i = 0; i < 2; ++i) {
            const float square = is_scaled ? unit * unit : 1 / (inverse[i] * inverse[i]);
            along[i] = inverse[i] < 1e12f && square > 0 ? 1 / square : 0.0f;
        }
        project(sums_k, k_tile, along, dots);
#pragma unroll
        for (int i = 0; i < 32; ++i) sums_k[i] *= head_factor * inverse[i / 2 % 2];
    } else {
#pragma unroll
        for (int i = 0; i < 32; ++i) sums_k[i] *= head_factor;
    }
    // The other group's last product may still read this one's keys.
    both_groups();
    store_rows(sums_k, k_tile, dk, is_float, head_offset(dks, pair, heads), dks.row, first_row, end_key);
    store_rows(sums_v, v_tile, dv, is_float, head_offset(dvs, pair, heads), dvs.row, first_row, end_key);
}

// MARK: Queries

// Grid (tiles of 64 queries, batch · heads). From the sums to the queries' gradient and, for unit vectors, that of
// the heads' scales as one sum for every 64 queries: dscale [heads][batch][tiles].
extern "C" __global__ void __launch_bounds__(128)
    attention_after(const uint16_t *q, const float *inverse_q, const float *head_scale, const float *sums,
                    void *dq, int is_float, float *dscale, int heads, int queries, float scale, ROWS(qs),
                    ROWS(dqs)) {
    GATHER(qs);
    GATHER(dqs);
    __shared__ __align__(1024) uint8_t tile[64 * ROW_BYTES];
    __shared__ float partial[4];
    const int pair = blockIdx.y, first_row = blockIdx.x * 64;
    copy_tile<64>(q + head_offset(qs, pair, heads), qs.row, first_row, queries, tile);
    commit_copies();
    const float4 *from = (const float4 *)(sums + ((int64_t)pair * gridDim.x + blockIdx.x) * SUMS) + threadIdx.x;
    float x[32];
#pragma unroll
    for (int n = 0; n < 8; ++n) {
        const float4 y = from[n * 128];
        x[4 * n] = y.x, x[4 * n + 1] = y.y, x[4 * n + 2] = y.z, x[4 * n + 3] = y.w;
    }
    const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, g = lane >> 2, t = lane & 3;
    const int row = first_row + warp * 16 + g;
    const float unit = scale * (head_scale ? head_scale[pair % heads] : 1.0f) * LOG2E;
    wait_for_copies<0>();
    __syncthreads();
    if (inverse_q) {
        float along[2], dots[2], sum = 0;
#pragma unroll
        for (int i = 0; i < 2; ++i) {
            const float inverse =
                row + 8 * i < queries ? inverse_q[(int64_t)pair * queries + row + 8 * i] : 1.0f;
            along[i] = inverse < 1e12f ? inverse * inverse : 0.0f;
        }
        project(x, tile, along, dots);
#pragma unroll
        for (int i = 0; i < 2; ++i)
            if (t == 0 && row + 8 * i < queries && unit != 0) sum += dots[i] / unit;
        sum = warp_sum(sum);
        if (lane == 0) partial[warp] = sum;
    }
#pragma unroll
    for (int n = 0; n < 32; ++n) x[n] *= LN2;
    __syncthreads();
    store_rows(x, tile, dq, is_float, head_offset(dqs, pair, heads), dqs.row, first_row, queries);
    if (dscale && threadIdx.x == 0)
        dscale[((int64_t)(pair % heads) * (gridDim.y / heads) + pair / heads) * gridDim.x + blockIdx.x] =
            scale * ((partial[0] + partial[1]) + (partial[2] + partial[3]));
}
