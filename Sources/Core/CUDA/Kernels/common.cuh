// What every CUDA source starts with: bfloat16, reductions over warps and blocks.
// SPDX-License-Identifier: Apache-2.0
//
// NVRTC compiles without CUDA's headers, so the few conversions needed are written out.

typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef unsigned int uint32_t;
typedef unsigned long long uint64_t;
typedef int int32_t;
typedef long long int64_t;

#define INFINITY_F __int_as_float(0x7f800000)

// Rounds to nearest even.
__device__ __forceinline__ uint16_t to_bf16(float x) {
    uint16_t r;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(r) : "f"(x));
    return r;
}

// Two at once; `low` goes into the lower half.
__device__ __forceinline__ uint32_t to_bf16x2(float low, float high) {
    uint32_t r;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(high), "f"(low));
    return r;
}

__device__ __forceinline__ float from_bf16(uint16_t x) {
    return __uint_as_float((uint32_t)x << 16);
}

// Programmatic dependent launch: a kernel that is launched as early starts before the one ahead of it has ended,
// and until `wait_for_inputs` may read nothing but weights, which nobody writes. Every thread has to come there,
// or a third kernel would take the first for ended.

// Lets the next kernel of the stream start as soon as there is room for it.
__device__ __forceinline__ void allow_next() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

// Returns when the kernels ahead have ended and what they wrote can be read.
__device__ __forceinline__ void wait_for_inputs() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

// For kernels that have nothing to do before.
__device__ __forceinline__ void start_early() {
    allow_next();
    wait_for_inputs();
}

__device__ __forceinline__ float warp_sum(float x) {
    for (int offset = 16; offset > 0; offset >>= 1) x += __shfl_xor_sync(0xffffffffu, x, offset);
    return x;
}

__device__ __forceinline__ double warp_sum(double x) {
    for (int offset = 16; offset > 0; offset >>= 1) x += __shfl_xor_sync(0xffffffffu, x, offset);
    return x;
}

__device__ __forceinline__ float warp_max(float x) {
    for (int offset = 16; offset > 0; offset >>= 1)
        x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, offset));
    return x;
}

// The sum over a block of up to 1024 threads (whole warps), known to every thread afterwards.
// `scratch` holds 32 values; a barrier is passed before it is written, so it may be used again.
template <typename T>
__device__ __forceinline__ T block_sum(T x, T* scratch) {
    const int warps = (blockDim.x + 31) / 32;
    x = warp_sum(x);
    __syncthreads();
    if ((threadIdx.x & 31) == 0) scratch[threadIdx.x >> 5] = x;
    __syncthreads();
    T total = 0;
    for (int w = 0; w < warps; ++w) total += scratch[w];
    return total;
}

__device__ __forceinline__ float block_max(float x, float* scratch) {
    const int warps = (blockDim.x + 31) / 32;
    x = warp_max(x);
    __syncthreads();
    if ((threadIdx.x & 31) == 0) scratch[threadIdx.x >> 5] = x;
    __syncthreads();
    float largest = scratch[0];
    for (int w = 1; w < warps; ++w) largest = fmaxf(largest, scratch[w]);
    return largest;
}

// Whether the calling thread's block is the last of `count` that share a counter; what the others wrote before
// is then visible to load_fresh. One thread a block; the counter starts and ends at 0.
__device__ __forceinline__ bool is_last(int* arrivals, int count) {
    __threadfence();
    if (atomicAdd(arrivals, 1) != count - 1) return false;
    *arrivals = 0;
    __threadfence();
    return true;
}

// Past the first-level cache, which may hold what was there before another block wrote.
__device__ __forceinline__ float load_fresh(const float* p) {
    float x;
    asm volatile("ld.global.cg.f32 %0, [%1];" : "=f"(x) : "l"(p) : "memory");
    return x;
}
