// Softmax, log-softmax and cross-entropy over rows. SPDX-License-Identifier: Apache-2.0

// A block a row; narrow rows take a block of one warp. Grid: rows.

// Combines two partial sums of e^(x − largest).
__device__ __forceinline__ void merge_sums(float &largest, float &sum, float other_largest, float other_sum) {
    float next = fmaxf(largest, other_largest);
    // Both −∞: nothing has been seen, the sums are 0.
    float reference = next == -INFINITY_F ? 0.0f : next;
    sum = sum * expf(largest - reference) + other_sum * expf(other_largest - reference);
    largest = next;
}

// The largest value of a row and Σ e^(x − largest), in every thread, from one pass over it.
__device__ __forceinline__ void row_sums(const float *x, int width, float &largest, float &sum) {
    __shared__ float scratch[2][32];
    largest = -INFINITY_F;
    sum = 0;
    if (width % 4 == 0) {
        for (int i = threadIdx.x; i < width / 4; i += blockDim.x) {
            float4 v = ((const float4 *)x)[i];
            float next = fmaxf(fmaxf(fmaxf(v.x, v.y), fmaxf(v.z, v.w)), largest);
            float reference = next == -INFINITY_F ? 0.0f : next;
            sum = sum * expf(largest - reference) +
                  ((expf(v.x - reference) + expf(v.y - reference)) +
                   (expf(v.z - reference) + expf(v.w - reference)));
            largest = next;
        }
    } else {
        for (int i = threadIdx.x; i < width; i += blockDim.x) merge_sums(largest, sum, x[i], 1.0f);
    }
    for (int step = 16; step > 0; step /= 2) {
        float other = __shfl_xor_sync(0xffffffffu, largest, step);
        float other_sum = __shfl_xor_sync(0xffffffffu, sum, step);
        merge_sums(largest, sum, other, other_sum);
    }
    int warps = blockDim.x / 32;
    if (warps == 1) return;
    if (threadIdx.x % 32 == 0) {
        scratch[0][threadIdx.x / 32] = largest;
        scratch[1][threadIdx.x / 32] = sum;
    }
    __syncthreads();
    largest = scratch[0][0];
    sum = scratch[1][0];
    for (int w = 1; w < warps; w++) merge_sums(largest, sum, scratch[0][w], scratch[1][w]);
}

extern "C" __global__ void softmax(const float *x, float *y, int width) {
    const float *from = x + (long long)blockIdx.x * width;
    float *to = y + (long long)blockIdx.x * width, largest, sum;
    row_sums(from, width, largest, sum);
    // A row of −∞ alone becomes zeros.
    float reference = largest == -INFINITY_F ? 0.0f : largest;
    float scale = largest == -INFINITY_F ? 0.0f : 1.0f / sum;
    for (int i = threadIdx.x; i < width; i += blockDim.x)
        to[i] = expf(from[i] - reference) * scale;
}

extern "C" __global__ void softmax_gradient(const float *dy, const float *y, float *dx,
                                            int width) {
    __shared__ float scratch[32];
    long long row = (long long)blockIdx.x * width;
    float product = 0;
    for (int i = threadIdx.x; i < width; i += blockDim.x) product += y[row + i] * dy[row + i];
    product = block_sum(product, scratch);
    for (int i = threadIdx.x; i < width; i += blockDim.x)
        dx[row + i] = y[row + i] * (dy[row + i] - product);
}

__device__ __forceinline__ float log_sum(float largest, float sum) {
    return largest == -INFINITY_F ? -INFINITY_F : largest + logf(sum);
}

extern "C" __global__ void log_softmax(const float *x, float *y, int width) {
    const float *from = x + (long long)blockIdx.x * width;
    float *to = y + (long long)blockIdx.x * width, largest, sum;
    row_sums(from, width, largest, sum);
    float total = log_sum(largest, sum);
    for (int i = threadIdx.x; i < width; i += blockDim.x) to[i] = from[i] - total;
}

extern "C" __global__ void log_softmax_gradient(const float *dy, const float *y, float *dx,
                                                int width) {
    __shared__ float scratch[32];
    long long row = (long long)blockIdx.x * width;
    float total = 0;
    for (int i = threadIdx.x; i < width; i += blockDim.x) total += dy[row + i];
    total = block_sum(total, scratch);
    for (int i = threadIdx.x; i < width; i += blockDim.x)
        dx[row + i] = dy[row + i] - expf(y[row + i]) * total;
}

// A target outside of the row gives NaN: indices are never read on the host.
extern "C" __global__ void cross_entropy(const float *logits, const int *targets, float *loss,
                                         float *log_sum_exp, int width) {
    const float *from = logits + (long long)blockIdx.x * width;
    float largest, sum;
    row_sums(from, width, largest, sum);
    if (threadIdx.x != 0) return;
    float total = log_sum(largest, sum);
    int target = targets[blockIdx.x];
    log_sum_exp[blockIdx.x] = total;
    loss[blockIdx.x] = (uint32_t)target < (uint32_t)width ? total - from[target] : __int_as_float(0x7fc00000);
}

extern "C" __global__ void cross_entropy_gradient(const float *dloss, const float *logits,
                                                  const int *targets, const float *log_sum_exp,
                                                  float *dx, int width) {
    const float *from = logits + (long long)blockIdx.x * width;
    float *to = dx + (long long)blockIdx.x * width;
    float total = log_sum_exp[blockIdx.x], scale = dloss[blockIdx.x];
    int target = targets[blockIdx.x];
    if (width % 4 == 0) {
        for (int i = threadIdx.x; i < width / 4; i += blockDim.x) {
            float4 v = ((const float4 *)from)[i];
            v.x = scale * (expf(v.x - total) - (target == 4 * i ? 1.0f : 0.0f));
            v.y = scale * (expf(v.y - total) - (target == 4 * i + 1 ? 1.0f : 0.0f));
            v.z = scale * (expf(v.z - total) - (target == 4 * i + 2 ? 1.0f : 0.0f));
            v.w = scale * (expf(v.w - total) - (target == 4 * i + 3 ? 1.0f : 0.0f));
            ((float4 *)to)[i] = v;
        }
    } else {
        for (int i = threadIdx.x; i < width; i += blockDim.x)
            to[i] = scale * (expf(from[i] - total) - (target == i ? 1.0f : 0.0f));
    }
}
