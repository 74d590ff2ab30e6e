// Tensor-core products, their operand loads, and copies to shared memory that nobody waits for.
// SPDX-License-Identifier: Apache-2.0

// c (16 × 8, f32) += a (16 × 16, row-major) · b (16 × 8, column-major). PTX ISA, mma.m16n8k16: with
// lane = 4·g + t, c holds (g, 2t), (g, 2t + 1), (g + 8, 2t), (g + 8, 2t + 1); each register of a
// and b two neighbours of k: a (g, 2t), (g + 8, 2t), (g, 2t + 8), (g + 8, 2t + 8);
// b (2t, g), (2t + 8, g).
__device__ __forceinline__ void mma_bf16(float (&c)[4], const uint32_t (&a)[4], uint32_t b0,
                                         uint32_t b1) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

__device__ __forceinline__ uint32_t shared_address(const void *pointer) {
    return (uint32_t)__cvta_generic_to_shared(pointer);
}

// Four 8 × 8 matrices of 16-bit elements; lane l gives the address of row l % 8 of matrix l / 8 and
// gets elements 2t and 2t + 1 of row g of each.
__device__ __forceinline__ void load_matrices(uint32_t (&r)[4], const void *row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(shared_address(row))
                 : "memory");
}

// The same with each matrix transposed: elements 2t and 2t + 1 of column g.
__device__ __forceinline__ void load_matrices_transposed(uint32_t (&r)[4], const void *row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(shared_address(row))
                 : "memory");
}

// 16 bytes to shared memory; zeros where not valid (the address is not read then).
__device__ __forceinline__ void copy_async(void *shared, const void *global, bool valid) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(shared)),
                 "l"(__cvta_generic_to_global(global)), "r"(valid ? 16 : 0)
                 : "memory");
}

// The same of 4 bytes.
__device__ __forceinline__ void copy_async_4(void *shared, const void *global, bool valid) {
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(shared_address(shared)),
                 "l"(__cvta_generic_to_global(global)), "r"(valid ? 4 : 0)
                 : "memory");
}

// A kernel's dynamic shared memory.
#define SHARED(name) extern __shared__ __align__(128) unsigned char name[]

// Closes a group of copies.
__device__ __forceinline__ void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }

// Waits until at most `pending` groups of this thread are under way.
template <int pending>
__device__ __forceinline__ void wait_for_copies() {
    asm volatile("cp.async.wait_group %0;" ::"n"(pending) : "memory");
}

// 2^x in one instruction; 0 for −∞.
__device__ __forceinline__ float exp2_fast(float x) {
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}
