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

// Over the threads of a block; `scratch` holds a warp's two numbers.
__device__ __forceinline__ void merge_block(float &largest, float &sum, float (*scratch)[32]) {
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
    merge_block(largest, sum, scratch);
}

// The same of a row in bfloat16, its width a multiple of 8.
__device__ __forceinline__ void widen(uint4 v, float (&x)[8]) {
    const uint32_t words[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
    for (int i = 0; i < 4; i++) {
        x[2 * i] = __uint_as_float(words[i] << 16);
        x[2 * i + 1] = __uint_as_float(words[i] & 0xffff0000u);
    }
}

__device__ __forceinline__ void add_row(const float (&x)[8], float &largest, float &sum) {
    float next = largest;
#pragma unroll
    for (int i = 0; i < 8; i++) next = fmaxf(next, x[i]);
    float reference = next == -INFINITY_F ? 0.0f : next;
    sum *= __expf(largest - reference);
#pragma unroll
    for (int i = 0; i < 8; i++) sum += __expf(x[i] - reference);
    largest = next;
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

// MARK: Rows of bfloat16, a multiple of 8 wide

extern "C" __global__ void cross_entropy_bf16(const uint16_t *logits, const int *targets,
                                              float *loss, float *log_sum_exp, int width) {
    __shared__ float scratch[2][32];
    const uint16_t *from = logits + (long long)blockIdx.x * width;
    float largest = -INFINITY_F, sum = 0;
    for (int i = threadIdx.x; i < width / 8; i += blockDim.x) {
        float x[8];
        widen(((const uint4 *)from)[i], x);
        add_row(x, largest, sum);
    }
    merge_block(largest, sum, scratch);
    if (threadIdx.x != 0) return;
    float total = log_sum(largest, sum);
    int target = targets[blockIdx.x];
    log_sum_exp[blockIdx.x] = total;
    loss[blockIdx.x] = (uint32_t)target < (uint32_t)width ? total - from_bf16(from[target])
                                                          : __int_as_float(0x7fc00000);
}

extern "C" __global__ void cross_entropy_gradient_bf16(const float *dloss, const uint16_t *logits,
                                                       const int *targets,
                                                       const float *log_sum_exp, uint16_t *dx,
                                                       int width) {
    const long long row = (long long)blockIdx.x * width;
    const float total = log_sum_exp[blockIdx.x], scale = dloss[blockIdx.x];
    const int target = targets[blockIdx.x];
    for (int i = threadIdx.x; i < width / 8; i += blockDim.x) {
        float x[8];
        widen(((const uint4 *)(logits + row))[i], x);
#pragma unroll
        for (int c = 0; c < 8; c++)
            x[c] = scale * (__expf(x[c] - total) - (target == 8 * i + c ? 1.0f : 0.0f));
        ((uint4 *)(dx + row))[i] = make_uint4(to_bf16x2(x[0], x[1]), to_bf16x2(x[2], x[3]),
                                              to_bf16x2(x[4], x[5]), to_bf16x2(x[6], x[7]));
    }
}
