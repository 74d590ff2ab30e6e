// Resizing and pooling on CUDA, one thread a result. SPDX-License-Identifier: Apache-2.0

// Separable resize of planes by band matrices (first input, number of inputs, weights of every
// output); along columns first, as on the CPU.
extern "C" __global__ void resize_planes(
    const float* x, float* y, int64_t count, int height, int width, int out_height, int out_width,
    const int* row_first, const int* row_count, const float* row_weights, int row_width,
    const int* column_first, const int* column_count, const float* column_weights,
    int column_width) {
    start_early();
    const int64_t at = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= count) return;
    const int j = (int)(at % out_width), i = (int)(at / out_width % out_height);
    const float* plane = x + at / out_width / out_height * height * width;
    float sum = 0;
    for (int t = 0; t < row_count[i]; ++t) {
        const float* from = plane + (int64_t)(row_first[i] + t) * width + column_first[j];
        float middle = 0;
        for (int s = 0; s < column_count[j]; ++s)
            middle += column_weights[j * column_width + s] * from[s];
        sum += row_weights[i * row_width + t] * middle;
    }
    y[at] = sum;
}

extern "C" __global__ void upsample_nearest_2x(
    const float* x, float* y, int64_t count, int64_t width) {
    const int64_t at = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= count) return;
    const int64_t row = at / (2 * width), column = at - row * 2 * width;
    y[at] = x[row / 2 * width + column / 2];
}

// dx of the upsampling: rows of dy are twice as wide and twice as many.
extern "C" __global__ void sum_2x2(const float* dy, float* dx, int64_t count, int64_t width) {
    const int64_t at = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= count) return;
    const int64_t row = at / width, column = at - row * width;
    const float* from = dy + row * 4 * width + 2 * column;
    dx[at] = (from[0] + from[1]) + (from[2 * width] + from[2 * width + 1]);
}

extern "C" __global__ void max_pool(
    const float* x, float* values, int* positions, int64_t count, int height, int width,
    int out_height, int out_width, int size, int stride) {
    const int64_t at = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= count) return;
    const int j = (int)(at % out_width), i = (int)(at / out_width % out_height);
    const float* plane = x + at / out_width / out_height * height * width;
    int best = i * stride * width + j * stride;
    for (int u = 0; u < size; ++u)
        for (int v = 0; v < size; ++v) {
            const int place = (i * stride + u) * width + j * stride + v;
            if (plane[place] > plane[best]) best = place;
        }
    values[at] = plane[best];
    positions[at] = best;
}

// dx is zero before. One thread a plane, in order: windows may overlap.
extern "C" __global__ void max_pool_gradient_in_order(
    const float* dy, const int* positions, float* dx, int64_t planes, int64_t pooled,
    int64_t pixels) {
    const int64_t plane = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (plane >= planes) return;
    for (int64_t i = 0; i < pooled; ++i)
        dx[plane * pixels + positions[plane * pooled + i]] += dy[plane * pooled + i];
}

// The same with one thread an output; the order of the additions is free where windows overlap.
extern "C" __global__ void max_pool_gradient(
    const float* dy, const int* positions, float* dx, int64_t count, int64_t pooled,
    int64_t pixels) {
    const int64_t at = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= count) return;
    atomicAdd(dx + at / pooled * pixels + positions[at], dy[at]);
}

extern "C" __global__ void average_pool(
    const float* x, float* y, int64_t count, int height, int width, int out_height, int out_width,
    int size, int stride) {
    const int64_t at = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= count) return;
    const int j = (int)(at % out_width), i = (int)(at / out_width % out_height);
    const float* plane = x + at / out_width / out_height * height * width;
    float sum = 0;
    for (int u = 0; u < size; ++u)
        for (int v = 0; v < size; ++v) sum += plane[(i * stride + u) * width + j * stride + v];
    y[at] = sum * (1.0f / (float)(size * size));
}

// Every pixel adds up the windows that hold it.
extern "C" __global__ void average_pool_gradient(
    const float* dy, float* dx, int64_t count, int height, int width, int out_height, int out_width,
    int size, int stride) {
    const int64_t at = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= count) return;
    const int column = (int)(at % width), row = (int)(at / width % height);
    const float* plane = dy + at / width / height * out_height * out_width;
    const float scale = 1.0f / (float)(size * size);
    const int i0 = row < size ? 0 : (row - size) / stride + 1;
    const int j0 = column < size ? 0 : (column - size) / stride + 1;
    float sum = 0;
    for (int i = i0; i < out_height && i * stride <= row; ++i)
        for (int j = j0; j < out_width && j * stride <= column; ++j)
            sum += plane[i * out_width + j] * scale;
    dx[at] = sum;
}
