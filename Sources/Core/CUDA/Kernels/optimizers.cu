// Optimiser steps over many tensors at once on CUDA. SPDX-License-Identifier: Apache-2.0

// One block per piece of a tensor. `table` holds, tensor by tensor, the addresses of weight,
// gradient, first and second moment and of the weight's bfloat16 copy (0 for none); `numbers` the
// learning rate and the weight decay of each.
extern "C" __global__ void adamw_of_many(
    const uint64_t* table, const float* numbers, const int64_t* counts, const int64_t* pieces,
    int piece_size, float gradient_scale, float beta1, float beta2, float epsilon,
    float correction1, float correction2) {
    const int64_t tensor = pieces[2 * blockIdx.x], begin = pieces[2 * blockIdx.x + 1];
    float* w = (float*)table[5 * tensor] + begin;
    const float* g = (const float*)table[5 * tensor + 1] + begin;
    float* m = (float*)table[5 * tensor + 2] + begin;
    float* v = (float*)table[5 * tensor + 3] + begin;
    uint16_t* copy = (uint16_t*)table[5 * tensor + 4];
    if (copy) copy += begin;
    const float rate = numbers[2 * tensor], decay = numbers[2 * tensor + 1];
    const int64_t left = counts[tensor] - begin;
    const int count = left < piece_size ? (int)left : piece_size;
    const float step = rate / correction1, root = rsqrtf(correction2);
    for (int i = threadIdx.x; i < count; i += blockDim.x) {
        const float gradient = g[i] * gradient_scale;
        const float first = beta1 * m[i] + (1.0f - beta1) * gradient;
        const float second = beta2 * v[i] + (1.0f - beta2) * gradient * gradient;
        m[i] = first;
        v[i] = second;
        float weight = w[i];
        weight -= rate * decay * weight;
        weight -= step * first / (sqrtf(second) * root + epsilon);
        w[i] = weight;
        if (copy) copy[i] = to_bf16(weight);
    }
}

// average += (1 − decay)(value − average); `table` holds average and value of each tensor.
extern "C" __global__ void averages_of_many(
    const uint64_t* table, const int64_t* counts, const int64_t* pieces, int piece_size,
    float rate) {
    const int64_t tensor = pieces[2 * blockIdx.x], begin = pieces[2 * blockIdx.x + 1];
    float* average = (float*)table[2 * tensor] + begin;
    const float* value = (const float*)table[2 * tensor + 1] + begin;
    const int64_t left = counts[tensor] - begin;
    const int count = left < piece_size ? (int)left : piece_size;
    for (int i = threadIdx.x; i < count; i += blockDim.x)
        average[i] += rate * (value[i] - average[i]);
}

// Many tensors to other places; `table` holds source and destination of each.
extern "C" __global__ void copies_of_many(
    const uint64_t* table, const int64_t* counts, const int64_t* pieces, int piece_size) {
    const int64_t tensor = pieces[2 * blockIdx.x], begin = pieces[2 * blockIdx.x + 1];
    const float* from = (const float*)table[2 * tensor] + begin;
    float* to = (float*)table[2 * tensor + 1] + begin;
    const int64_t left = counts[tensor] - begin;
    const int count = left < piece_size ? (int)left : piece_size;
    int done = 0;
    if ((((uint64_t)from | (uint64_t)to) & 15) == 0) {
        for (int i = threadIdx.x; i < count / 4; i += blockDim.x)
            ((float4*)to)[i] = ((const float4*)from)[i];
        done = count / 4 * 4;
    }
    for (int i = done + threadIdx.x; i < count; i += blockDim.x) to[i] = from[i];
}
