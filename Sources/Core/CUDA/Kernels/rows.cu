// Rows by index, nearest rows and sorting on CUDA; no atomics. SPDX-License-Identifier: Apache-2.0

// Rows of a table [entries, width]; an index outside of it gives NaN, since a kernel cannot refuse.
extern "C" __global__ void gather_rows(
    const float* table, const int* indices, float* y, int64_t count, int64_t width,
    int64_t entries) {
    const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count * width) return;
    const int64_t row = i / width;
    const int index = indices[row];
    y[i] = index >= 0 && index < entries ? table[index * width + (i - row * width)]
                                         : __int_as_float(0x7fc00000);
}

// Adds rows [count, width] to table row blockIdx.x, in the order of the rows: every block reads all
// indices and picks its own.
extern "C" __global__ void scatter_add_rows(
    const float* rows, const int* indices, float* table, int64_t count, int64_t width) {
    __shared__ uint32_t found[8];
    const int entry = blockIdx.x;
    float* to = table + (int64_t)entry * width;
    for (int64_t base = 0; base < count; base += blockDim.x) {
        const int64_t i = base + threadIdx.x;
        const int mine = i < count && indices[i] == entry;
        const uint32_t ballot = __ballot_sync(0xffffffffu, mine);
        if ((threadIdx.x & 31) == 0) found[threadIdx.x >> 5] = ballot;
        if (__syncthreads_or(mine)) {
            for (int warp = 0; warp < blockDim.x / 32; ++warp) {
                for (uint32_t bits = found[warp]; bits != 0; bits &= bits - 1) {
                    const float* from = rows + (base + warp * 32 + __ffs(bits) - 1) * width;
                    for (int64_t c = threadIdx.x; c < width; c += blockDim.x) to[c] += from[c];
                }
            }
        }
        __syncthreads();
    }
}

// The first nearest table row of every row of z by (|z|² + |e|²) − 2z·e in float32: tokens depend on
// exactly that form. One warp a row, so that few rows keep the device busy too; its lanes share the
// table's rows, which come through shared memory in tiles of stride width + 1 (no bank conflicts).
extern "C" __global__ void nearest_rows(
    const float* z, const float* table, int* nearest, int64_t count, int entries, int width,
    int tile) {
    extern __shared__ float shared[];
    const int stride = width + 1, lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
    float* squares = shared + tile * stride;
    float* point = squares + tile + warp * width;
    const int64_t row = (int64_t)blockIdx.x * (blockDim.x / 32) + warp;
    for (int c = lane; c < width; c += 32) point[c] = z[(row < count ? row : 0) * width + c];
    __syncwarp();
    double own = 0;
    for (int c = 0; c < width; ++c) own += point[c] * point[c];
    float best = INFINITY_F;
    int index = 0;
    for (int first = 0; first < entries; first += tile) {
        const int present = min(tile, entries - first);
        __syncthreads();
        for (int i = threadIdx.x; i < present * width; i += blockDim.x)
            shared[i / width * stride + i % width] = table[(int64_t)first * width + i];
        __syncthreads();
        for (int e = threadIdx.x; e < present; e += blockDim.x) {
            double sum = 0;
            for (int c = 0; c < width; ++c) sum += shared[e * stride + c] * shared[e * stride + c];
            squares[e] = (float)sum;
        }
        __syncthreads();
        for (int e = lane; e < present; e += 32) {
            float product = 0;
            for (int c = 0; c < width; ++c) product = fmaf(shared[e * stride + c], point[c], product);
            const float d = ((float)own + squares[e]) - 2.0f * product;
            if (d < best) best = d, index = first + e;
        }
    }
    for (int offset = 16; offset > 0; offset >>= 1) {
        const float d = __shfl_xor_sync(0xffffffffu, best, offset);
        const int i = __shfl_xor_sync(0xffffffffu, index, offset);
        if (d < best || (d == best && i < index)) best = d, index = i;
    }
    if (row < count && lane == 0) nearest[row] = index;
}

// Whether b must come before a; NaN is last whatever the direction.
__device__ __forceinline__ bool goes_before(float b, float a, int descending) {
    if (a != a) return b == b;
    return descending ? b > a : b < a;
}

// The same for (value, position) pairs, equal values in their order; positions from `length` on are
// padding and last.
__device__ __forceinline__ bool pair_before(
    float b, int bi, float a, int ai, int length, int descending) {
    if (bi >= length || ai >= length) return bi < ai;
    if (goes_before(b, a, descending)) return true;
    return !goes_before(a, b, descending) && bi < ai;
}

// Bitonic sort of one row a block; `padded` is a power of two whose pairs fit into shared memory.
extern "C" __global__ void argsort_rows(
    const float* x, int* order, int length, int padded, int descending) {
    extern __shared__ float shared[];
    float* keys = shared;
    int* index = (int*)(shared + padded);
    const float* row = x + (int64_t)blockIdx.x * length;
    for (int i = threadIdx.x; i < padded; i += blockDim.x) {
        keys[i] = i < length ? row[i] : 0;
        index[i] = i;
    }
    for (int size = 2; size <= padded; size *= 2) {
        for (int step = size / 2; step > 0; step /= 2) {
            __syncthreads();
            for (int t = threadIdx.x; t < padded / 2; t += blockDim.x) {
                const int low = t / step * 2 * step + t % step, high = low + step;
                const bool rises = (low & size) == 0;
                const bool swapped = pair_before(
                    keys[high], index[high], keys[low], index[low], length, descending);
                if (swapped == rises) {
                    const float key = keys[low];
                    const int at = index[low];
                    keys[low] = keys[high], index[low] = index[high];
                    keys[high] = key, index[high] = at;
                }
            }
        }
    }
    __syncthreads();
    for (int i = threadIdx.x; i < length; i += blockDim.x)
        order[(int64_t)blockIdx.x * length + i] = index[i];
}

// Rows too long for shared memory: every element counts what comes before it.
extern "C" __global__ void argsort_by_rank(
    const float* x, int* order, int64_t count, int length, int descending) {
    const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    const int64_t start = i / length * length;
    const int own = (int)(i - start);
    const float value = x[i];
    int rank = 0;
    for (int j = 0; j < length; ++j)
        rank += j != own && pair_before(x[start + j], j, value, own, length, descending);
    order[start + rank] = own;
}
