// What all attention kernels share: where the rows of a head lie, constants of the softmax.
// SPDX-License-Identifier: Apache-2.0

#define LOG2E 1.4426950408889634f
#define LN2 0.6931471805599453f
#define EVERY_LANE 0xffffffffu

// Where row r of (batch, head) lies: base + batch · strides[0] + head · strides[1] + r · strides[2].
struct rows {
    int64_t batch, head, row;
};
// A kernel takes the three strides one by one.
#define ROWS(s) int64_t s##_batch, int64_t s##_head, int64_t s##_row
#define GATHER(s) const rows s = {s##_batch, s##_head, s##_row}

__device__ __forceinline__ int64_t head_offset(rows s, int pair, int heads) {
    return (pair / heads) * s.batch + (pair % heads) * s.head;
}

// The halves of a word of two bf16 numbers.
__device__ __forceinline__ float low_half(uint32_t x) { return __uint_as_float(x << 16); }
__device__ __forceinline__ float high_half(uint32_t x) { return __uint_as_float(x & 0xffff0000u); }
