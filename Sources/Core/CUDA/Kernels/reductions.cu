// Sums, maxima and scattering on CUDA; no atomics, so results do not depend on timing.
// SPDX-License-Identifier: Apache-2.0

// Sums of rows x [rows, length] → y[row · chunks + chunk], one warp per (row, chunk).
extern "C" __global__ void sum_rows_warp(
    const float* x, float* y, int64_t rows, int64_t length, int chunks, float scale) {
    const int64_t job = ((int64_t)blockIdx.x * blockDim.x + threadIdx.x) / 32;
    if (job >= rows * chunks) return;
    const int64_t row = job / chunks, part = (length + chunks - 1) / chunks;
    const int64_t begin = (job - row * chunks) * part;
    const int64_t end = begin + part < length ? begin + part : length;
    const float* p = x + row * length;
    float total = 0;
    for (int64_t i = begin + (threadIdx.x & 31); i < end; i += 32) total += p[i];
    total = warp_sum(total);
    if ((threadIdx.x & 31) == 0) y[job] = total * scale;
}

// The same with one block per (row, chunk) and 16-byte reads where they are aligned.
extern "C" __global__ void sum_rows_block(
    const float* x, float* y, int64_t length, int chunks, float scale) {
    __shared__ float scratch[32];
    const int64_t row = blockIdx.x / chunks, part = ((length + chunks - 1) / chunks + 3) / 4 * 4;
    int64_t begin = (blockIdx.x - row * chunks) * part;
    if (begin > length) begin = length;
    const int64_t end = begin + part < length ? begin + part : length;
    const float* p = x + row * length + begin;
    const int64_t count = end - begin;
    float total = 0;
    int64_t done = 0;
    if (((uint64_t)p & 15) == 0) {
        float4 sums = make_float4(0, 0, 0, 0);
        for (int64_t i = threadIdx.x; i < count / 4; i += blockDim.x) {
            const float4 v = ((const float4*)p)[i];
            sums.x += v.x, sums.y += v.y, sums.z += v.z, sums.w += v.w;
        }
        total = (sums.x + sums.y) + (sums.z + sums.w);
        done = count / 4 * 4;
    }
    for (int64_t i = done + threadIdx.x; i < count; i += blockDim.x) total += p[i];
    total = block_sum(total, scratch);
    if (threadIdx.x == 0) y[blockIdx.x] = total * scale;
}

// Sums over the middle of x [outer, length, inner] → y [outer, chunks, inner]; 32 columns × 8 rows a
// block, one block per (32 columns, chunk, outer).
extern "C" __global__ void sum_columns(
    const float* x, float* y, int64_t length, int64_t inner, int chunks, float scale) {
    __shared__ float tile[8][33];
    const int64_t column = (int64_t)blockIdx.x * 32 + threadIdx.x;
    const int64_t part = (length + chunks - 1) / chunks;
    const int64_t begin = blockIdx.y * part;
    const int64_t end = begin + part < length ? begin + part : length;
    const float* p = x + (int64_t)blockIdx.z * length * inner;
    float total = 0, other = 0;
    if (column < inner) {
        int64_t i = begin + threadIdx.y;
        for (; i + 8 < end; i += 16) {
            total += p[i * inner + column];
            other += p[(i + 8) * inner + column];
        }
        if (i < end) total += p[i * inner + column];
    }
    tile[threadIdx.y][threadIdx.x] = total + other;
    __syncthreads();
    if (threadIdx.y == 0 && column < inner) {
        float sum = 0;
        for (int r = 0; r < 8; ++r) sum += tile[r][threadIdx.x];
        y[((int64_t)blockIdx.z * chunks + blockIdx.y) * inner + column] = sum * scale;
    }
}

// Small inner extents: one thread per result.
extern "C" __global__ void sum_strided(
    const float* x, float* y, int64_t count, int64_t length, int64_t inner, float scale) {
    const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    const int64_t outer = i / inner;
    const float* p = x + outer * length * inner + (i - outer * inner);
    float total = 0;
    for (int64_t t = 0; t < length; ++t) total += p[t * inner];
    y[i] = total * scale;
}

// The larger value, the earlier one on ties.
__device__ __forceinline__ void keep_larger(float& value, int& index, float v, int i) {
    if (v > value || (v == value && i < index)) value = v, index = i;
}

// Largest value and first index of rows, one block each.
extern "C" __global__ void max_rows(const float* x, float* values, int* indices, int64_t length) {
    __shared__ float best_value[32];
    __shared__ int best_index[32];
    const float* p = x + (int64_t)blockIdx.x * length;
    float value = -INFINITY_F;
    int index = 0x7fffffff;
    for (int i = threadIdx.x; i < length; i += blockDim.x) keep_larger(value, index, p[i], i);
    for (int offset = 16; offset > 0; offset >>= 1) {
        const float v = __shfl_xor_sync(0xffffffffu, value, offset);
        const int i = __shfl_xor_sync(0xffffffffu, index, offset);
        keep_larger(value, index, v, i);
    }
    if ((threadIdx.x & 31) == 0) {
        best_value[threadIdx.x >> 5] = value;
        best_index[threadIdx.x >> 5] = index;
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        for (int w = 1; w < blockDim.x / 32; ++w)
            keep_larger(value, index, best_value[w], best_index[w]);
        // A row of NaN has no largest value; its first index still lies in the row.
        values[blockIdx.x] = value;
        indices[blockIdx.x] = index < length ? index : 0;
    }
}

// The same over the middle of [outer, length, inner], one thread per result.
extern "C" __global__ void max_strided(
    const float* x, float* values, int* indices, int64_t count, int64_t length, int64_t inner) {
    const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    const int64_t outer = i / inner;
    const float* p = x + outer * length * inner + (i - outer * inner);
    float value = p[0];
    int index = 0;
    for (int64_t t = 1; t < length; ++t) {
        if (p[t * inner] > value) value = p[t * inner], index = (int)t;
    }
    values[i] = value;
    indices[i] = index;
}

// y is zero before; values [outer, inner] go to their index along the middle.
extern "C" __global__ void scatter_along(
    const float* values, const int* indices, float* y, int64_t count, int64_t length,
    int64_t inner) {
    const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    const int64_t outer = i / inner;
    const int index = indices[i];
    if (index >= 0 && index < length) {
        y[(outer * length + index) * inner + (i - outer * inner)] = values[i];
    }
}

// A piece of one of many tensors: `table` holds addresses, `pieces` (tensor, first element).
// Partial sums of squares, one a block.
extern "C" __global__ void squares_of_many(
    const uint64_t* table, const int64_t* counts, const int64_t* pieces, int piece_size,
    double* partial) {
    __shared__ double scratch[32];
    const int64_t tensor = pieces[2 * blockIdx.x], begin = pieces[2 * blockIdx.x + 1];
    const float* p = (const float*)table[tensor] + begin;
    const int64_t left = counts[tensor] - begin;
    const int count = left < piece_size ? (int)left : piece_size;
    float total = 0;
    int done = 0;
    if (((uint64_t)p & 15) == 0) {
        for (int i = threadIdx.x; i < count / 4; i += blockDim.x) {
            const float4 v = ((const float4*)p)[i];
            total += v.x * v.x + v.y * v.y + v.z * v.z + v.w * v.w;
        }
        done = count / 4 * 4;
    }
    for (int i = done + threadIdx.x; i < count; i += blockDim.x) total += p[i] * p[i];
    const double sum = block_sum((double)total, scratch);
    if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

// The sum of doubles by one block, in a fixed order.
extern "C" __global__ void sum_doubles(const double* x, double* y, int64_t count) {
    __shared__ double scratch[32];
    double total = 0;
    for (int64_t i = threadIdx.x; i < count; i += blockDim.x) total += x[i];
    total = block_sum(total, scratch);
    if (threadIdx.x == 0) y[0] = total;
}

// y [gridDim.y][width] = sums of parts of the rows of x, bfloat16, an even width. Grid (columns / 64, parts),
// block 256: a lane two columns, a warp every eighth row.
extern "C" __global__ void sum_columns_bf16(const uint16_t* x, float* y, int rows, int width) {
    __shared__ float2 scratch[8][32];
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    const int column = blockIdx.x * 64 + 2 * lane;
    const int begin = (int)((int64_t)rows * blockIdx.y / gridDim.y);
    const int end = (int)((int64_t)rows * (blockIdx.y + 1) / gridDim.y);
    float2 sum = make_float2(0, 0);
    if (column < width)
#pragma unroll 8
        for (int r = begin + warp; r < end; r += 8) {
            const uint32_t v = *(const uint32_t*)(x + (int64_t)r * width + column);
            sum.x += __uint_as_float(v << 16);
            sum.y += __uint_as_float(v & 0xffff0000u);
        }
    scratch[warp][lane] = sum;
    __syncthreads();
    if (warp != 0 || column >= width) return;
    for (int w = 1; w < 8; ++w) sum.x += scratch[w][lane].x, sum.y += scratch[w][lane].y;
    *(float2*)(y + (int64_t)blockIdx.y * width + column) = sum;
}
