// Attention by tiles of 32 queries and 32 keys with an online softmax, float32. Key tiles that no query of
// the tile sees are skipped, so work follows the intervals and no mask matrix exists.
// SPDX-License-Identifier: Apache-2.0

#define TILE 32
#define FARTHEST 8  // head sizes up to 32 · FARTHEST

// Rows first.. of a matrix into shared memory, zeros behind; `pitch` is odd against bank conflicts.
__device__ __forceinline__ void load_tile(
    const float* from, int64_t row, int first, int count, int dim, int pitch, float* to) {
    for (int i = threadIdx.x; i < TILE * dim; i += blockDim.x) {
        const int r = i / dim, d = i - r * dim;
        to[r * pitch + d] = first + r < count ? from[(int64_t)(first + r) * row + d] : 0;
    }
}

// The keys that any query of a tile sees; start and end are null for all keys.
__device__ __forceinline__ void visible(
    const int* start, const int* end, int first, int queries, int keys, int& low, int& high) {
    low = 0, high = keys;
    if (!start) return;
    low = keys, high = 0;
    for (int l = first; l < first + TILE && l < queries; ++l) {
        if (start[l] >= end[l]) continue;
        low = min(low, start[l]), high = max(high, end[l]);
    }
}

__device__ __forceinline__ bool sees(const int* start, const int* end, int query, int key) {
    return !start || (key >= start[query] && key < end[query]);
}

// Block: 256 threads; warp w holds queries 4w … 4w + 3 of the tile, a lane the key of a score and the
// channels lane, lane + 32, … of the output.
extern "C" __global__ void attention_forward(
    const float* q, const float* k, const float* v, float* o, float* logsumexp, const int* start,
    const int* end, int heads, int queries, int keys, int dim, float scale, ROWS(qs), ROWS(ks),
    ROWS(vs), ROWS(os)) {
    GATHER(qs);
    GATHER(ks);
    GATHER(vs);
    GATHER(os);
    extern __shared__ float shared[];
    const int pitch = dim | 1, lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
    float *tq = shared, *tk = tq + TILE * pitch, *tv = tk + TILE * pitch;
    const int first = blockIdx.x * TILE, pair = blockIdx.y;
    q += head_offset(qs, pair, heads);
    k += head_offset(ks, pair, heads);
    v += head_offset(vs, pair, heads);
    load_tile(q, qs.row, first, queries, dim, pitch, tq);
    float largest[4], total[4], out[4][FARTHEST];
    for (int i = 0; i < 4; ++i) {
        largest[i] = -INFINITY_F, total[i] = 0;
        for (int c = 0; c < FARTHEST; ++c) out[i][c] = 0;
    }
    int low, high;
    visible(start, end, first, queries, keys, low, high);
    for (int key = low; key < high; key += TILE) {
        __syncthreads();
        load_tile(k, ks.row, key, keys, dim, pitch, tk);
        load_tile(v, vs.row, key, keys, dim, pitch, tv);
        __syncthreads();
        for (int i = 0; i < 4; ++i) {
            const int row = warp * 4 + i, query = first + row, at = key + lane;
            if (query >= queries) break;
            float s = 0;
            for (int d = 0; d < dim; ++d) s = fmaf(tq[row * pitch + d], tk[lane * pitch + d], s);
            s = at < high && sees(start, end, query, at) ? s * scale : -INFINITY_F;
            const float next = fmaxf(largest[i], warp_max(s));
            // A row that has seen nothing yet: any finite reference gives e^−∞ = 0.
            const float reference = next == -INFINITY_F ? 0 : next;
            const float p = expf(s - reference), factor = expf(largest[i] - reference);
            largest[i] = next;
            total[i] = total[i] * factor + warp_sum(p);
            for (int c = 0; c < FARTHEST && c * 32 < dim; ++c) {
                const int d = c * 32 + lane;
                float sum = 0;
                for (int j = 0; j < TILE; ++j) {
                    const float w = __shfl_sync(0xffffffffu, p, j);
                    if (d < dim) sum = fmaf(w, tv[j * pitch + d], sum);
                }
                out[i][c] = out[i][c] * factor + sum;
            }
        }
    }
    o += head_offset(os, pair, heads);
    for (int i = 0; i < 4; ++i) {
        const int query = first + warp * 4 + i;
        if (query >= queries) break;
        const float inverse = total[i] > 0 ? 1 / total[i] : 0;
        for (int c = 0; c < FARTHEST && c * 32 < dim; ++c) {
            const int d = c * 32 + lane;
            if (d < dim) o[query * os.row + d] = out[i][c] * inverse;
        }
        if (lane == 0)
            logsumexp[(int64_t)pair * queries + query] =
                total[i] > 0 ? largest[i] + logf(total[i]) : -INFINITY_F;
    }
}

// delta = Σ_d o · do, one warp a query.
extern "C" __global__ void attention_delta(
    const float* o, const float* d_o, float* delta, int heads, int queries, int dim, ROWS(os)) {
    GATHER(os);
    const int query = blockIdx.x * 8 + (threadIdx.x >> 5), pair = blockIdx.y;
    if (query >= queries) return;
    const int64_t at = head_offset(os, pair, heads) + query * os.row;
    float sum = 0;
    for (int d = threadIdx.x & 31; d < dim; d += 32) sum += o[at + d] * d_o[at + d];
    sum = warp_sum(sum);
    if ((threadIdx.x & 31) == 0) delta[(int64_t)pair * queries + query] = sum;
}

// The weight of a (query, key) pair and the gradient of its score before scaling.
__device__ __forceinline__ void pair_gradient(
    const float* tq, const float* tk, const float* to, const float* tv, int dim, float scale,
    bool is_seen, float reference, float delta, float& weight, float& gradient) {
    float s = 0, g = 0;
    for (int d = 0; d < dim; ++d) {
        s = fmaf(tq[d], tk[d], s);
        g = fmaf(to[d], tv[d], g);
    }
    weight = is_seen ? expf(s * scale - reference) : 0;
    gradient = weight * (g - delta) * scale;
}

// dq by query tiles; the layout of the forward pass.
extern "C" __global__ void attention_dq(
    const float* q, const float* k, const float* v, const float* d_o, const float* logsumexp,
    const float* delta, float* dq, const int* start, const int* end, int heads, int queries,
    int keys, int dim, float scale, ROWS(qs), ROWS(ks), ROWS(vs), ROWS(os), ROWS(dqs)) {
    GATHER(qs);
    GATHER(ks);
    GATHER(vs);
    GATHER(os);
    GATHER(dqs);
    extern __shared__ float shared[];
    const int pitch = dim | 1, lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
    float *tq = shared, *to = tq + TILE * pitch, *tk = to + TILE * pitch, *tv = tk + TILE * pitch;
    const int first = blockIdx.x * TILE, pair = blockIdx.y;
    k += head_offset(ks, pair, heads);
    v += head_offset(vs, pair, heads);
    load_tile(q + head_offset(qs, pair, heads), qs.row, first, queries, dim, pitch, tq);
    load_tile(d_o + head_offset(os, pair, heads), os.row, first, queries, dim, pitch, to);
    float sums[4][FARTHEST];
    for (int i = 0; i < 4; ++i)
        for (int c = 0; c < FARTHEST; ++c) sums[i][c] = 0;
    int low, high;
    visible(start, end, first, queries, keys, low, high);
    for (int key = low; key < high; key += TILE) {
        __syncthreads();
        load_tile(k, ks.row, key, keys, dim, pitch, tk);
        load_tile(v, vs.row, key, keys, dim, pitch, tv);
        __syncthreads();
        for (int i = 0; i < 4; ++i) {
            const int row = warp * 4 + i, query = first + row, at = key + lane;
            if (query >= queries) break;
            const float sum = logsumexp[(int64_t)pair * queries + query];
            float weight, gradient;
            pair_gradient(
                tq + row * pitch, tk + lane * pitch, to + row * pitch, tv + lane * pitch, dim,
                scale, at < high && sees(start, end, query, at), sum == -INFINITY_F ? 0 : sum,
                delta[(int64_t)pair * queries + query], weight, gradient);
            for (int c = 0; c < FARTHEST && c * 32 < dim; ++c) {
                const int d = c * 32 + lane;
                for (int j = 0; j < TILE; ++j) {
                    const float g = __shfl_sync(0xffffffffu, gradient, j);
                    if (d < dim) sums[i][c] = fmaf(g, tk[j * pitch + d], sums[i][c]);
                }
            }
        }
    }
    dq += head_offset(dqs, pair, heads);
    for (int i = 0; i < 4; ++i) {
        const int query = first + warp * 4 + i;
        if (query >= queries) break;
        for (int c = 0; c < FARTHEST && c * 32 < dim; ++c) {
            const int d = c * 32 + lane;
            if (d < dim) dq[query * dqs.row + d] = sums[i][c];
        }
    }
}

// dk and dv by key tiles: warp w holds keys 4w … 4w + 3, a lane the query. Query tiles that see none of
// the keys are skipped.
extern "C" __global__ void attention_dkv(
    const float* q, const float* k, const float* v, const float* d_o, const float* logsumexp,
    const float* delta, float* dk, float* dv, const int* start, const int* end, int heads,
    int queries, int keys, int dim, float scale, ROWS(qs), ROWS(ks), ROWS(vs), ROWS(os), ROWS(dks)) {
    GATHER(qs);
    GATHER(ks);
    GATHER(vs);
    GATHER(os);
    GATHER(dks);
    extern __shared__ float shared[];
    const int pitch = dim | 1, lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
    float *tk = shared, *tv = tk + TILE * pitch, *tq = tv + TILE * pitch, *to = tq + TILE * pitch;
    const int first = blockIdx.x * TILE, pair = blockIdx.y;
    q += head_offset(qs, pair, heads);
    d_o += head_offset(os, pair, heads);
    load_tile(k + head_offset(ks, pair, heads), ks.row, first, keys, dim, pitch, tk);
    load_tile(v + head_offset(vs, pair, heads), vs.row, first, keys, dim, pitch, tv);
    float sums_k[4][FARTHEST], sums_v[4][FARTHEST];
    for (int i = 0; i < 4; ++i)
        for (int c = 0; c < FARTHEST; ++c) sums_k[i][c] = sums_v[i][c] = 0;
    for (int query = 0; query < queries; query += TILE) {
        int low, high;
        visible(start, end, query, queries, keys, low, high);
        if (low >= first + TILE || high <= first) continue;
        __syncthreads();
        load_tile(q, qs.row, query, queries, dim, pitch, tq);
        load_tile(d_o, os.row, query, queries, dim, pitch, to);
        __syncthreads();
        const int own = query + lane;
        const bool is_query = own < queries;
        const float sum = is_query ? logsumexp[(int64_t)pair * queries + own] : 0;
        const float shift = is_query ? delta[(int64_t)pair * queries + own] : 0;
        for (int i = 0; i < 4; ++i) {
            const int row = warp * 4 + i, key = first + row;
            if (key >= keys) break;
            float weight, gradient;
            pair_gradient(
                tq + lane * pitch, tk + row * pitch, to + lane * pitch, tv + row * pitch, dim,
                scale, is_query && sees(start, end, own, key), sum == -INFINITY_F ? 0 : sum, shift,
                weight, gradient);
            for (int c = 0; c < FARTHEST && c * 32 < dim; ++c) {
                const int d = c * 32 + lane;
                for (int j = 0; j < TILE; ++j) {
                    const float g = __shfl_sync(0xffffffffu, gradient, j);
                    const float w = __shfl_sync(0xffffffffu, weight, j);
                    if (d < dim) {
                        sums_k[i][c] = fmaf(g, tq[j * pitch + d], sums_k[i][c]);
                        sums_v[i][c] = fmaf(w, to[j * pitch + d], sums_v[i][c]);
                    }
                }
            }
        }
    }
    const int64_t base = head_offset(dks, pair, heads);
    for (int i = 0; i < 4; ++i) {
        const int key = first + warp * 4 + i;
        if (key >= keys) break;
        for (int c = 0; c < FARTHEST && c * 32 < dim; ++c) {
            const int d = c * 32 + lane;
            if (d < dim) {
                dk[base + key * dks.row + d] = sums_k[i][c];
                dv[base + key * dks.row + d] = sums_v[i][c];
            }
        }
    }
}
