// Warpgroup products of Hopper (sm_90a), their operands' descriptors, and barriers.
// SPDX-License-Identifier: Apache-2.0

// MARK: Barriers in shared memory

__device__ __forceinline__ void barrier_init(uint64_t *barrier, int arrivals) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(barrier)),
                 "r"(arrivals)
                 : "memory");
}

// Makes initialised barriers visible to the copies' unit.
__device__ __forceinline__ void fence_barriers() {
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}

__device__ __forceinline__ void barrier_arrive(uint64_t *barrier) {
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_address(barrier))
                 : "memory");
}

// Waits for the end of the phase of this parity.
__device__ __forceinline__ void barrier_wait(uint64_t *barrier, uint32_t parity) {
    asm volatile(
        "{\n.reg .pred done;\nagain:\n"
        "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
        "@done bra over;\nbra again;\nover:\n}" ::"r"(shared_address(barrier)),
        "r"(parity)
        : "memory");
}

// Writes of this thread to shared memory before are seen by products after.
__device__ __forceinline__ void fence_shared() {
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

// MARK: Descriptors

// Rows of 128 bytes whose 16-byte pieces are exchanged by piece ^ (row & 7); tiles of 8 rows begin at multiples
// of 1024 bytes.
__device__ __forceinline__ uint64_t swizzled_operand() {
    return ((uint64_t)1 << 16) | ((uint64_t)(1024 >> 4) << 32) | ((uint64_t)1 << 62);
}

__device__ __forceinline__ uint64_t at(uint64_t operand, uint32_t address) {
    return operand | ((address & 0x3ffff) >> 4);
}

// MARK: Products

__device__ __forceinline__ void wgmma_fence() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
__device__ __forceinline__ void wgmma_commit() {
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
template <int pending>
__device__ __forceinline__ void wgmma_wait() {
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(pending) : "memory");
}
// Keeps the compiler from moving uses of sums across products that are under way.
template <int N>
__device__ __forceinline__ void hold(float (&x)[N]) {
#pragma unroll
    for (int i = 0; i < N; ++i) asm volatile("" : "+f"(x[i])::"memory");
}
template <int N>
__device__ __forceinline__ void hold(uint32_t (&x)[N][4]) {
#pragma unroll
    for (int i = 0; i < 4 * N; ++i) asm volatile("" : "+r"(x[i / 4][i % 4])::"memory");
}

// The registers of a product's sums, by name in its text and as operands.
#define REGISTERS_32                                                                               \
    "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "                       \
    "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
#define REGISTERS_64                                                                               \
    REGISTERS_32 ", %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "  \
                 "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
#define SUMS_8(i)                                                                                  \
    "+f"(c[i]), "+f"(c[i + 1]), "+f"(c[i + 2]), "+f"(c[i + 3]), "+f"(c[i + 4]), "+f"(c[i + 5]),    \
        "+f"(c[i + 6]), "+f"(c[i + 7])
#define SUMS_16(i) SUMS_8(i), SUMS_8(i + 8)
#define SUMS_32(i) SUMS_16(i), SUMS_16(i + 16)
#define SUMS_64(i) SUMS_32(i), SUMS_32(i + 32)

// c (64 × N, f32) = a · b, plus c where `adds`; a (64 × 16) and b (16 × N) in shared memory, their depth running
// fastest. PTX ISA, wgmma.mma_async: with lane = 4·g + t, warp w of four holds rows 16·w + g and 16·w + g + 8;
// c[4·n + 2·i + j] is row 16·w + g + 8·i, column 8·n + 2·t + j.
template <int N>
struct product;

#define PRODUCT(N, REGISTERS, A, B, ADDS, ...)                                                     \
    template <>                                                                                    \
    struct product<N> {                                                                            \
        static __device__ __forceinline__ void add(float (&c)[N / 2], uint64_t a, uint64_t b,      \
                                                   int adds) {                                     \
            asm volatile("{\n.reg .pred adds;\nsetp.ne.b32 adds, " ADDS ", 0;\n"                   \
                         "wgmma.mma_async.sync.aligned.m64n" #N "k16.f32.bf16.bf16 {" REGISTERS    \
                         "}, " A ", " B ", adds, 1, 1, 0, 0;\n}"                                   \
                         : __VA_ARGS__                                                             \
                         : "l"(a), "l"(b), "r"(adds));                                             \
        }                                                                                          \
    };
PRODUCT(128, REGISTERS_64, "%64", "%65", "%66", SUMS_64(0))

// The same of 64 columns with b's 16 rows running along memory (MN-major), a in registers.
__device__ __forceinline__ void product_of_rows(float (&c)[32], const uint32_t (&a)[4], uint64_t b, int adds) {
    asm volatile("{\n.reg .pred adds;\nsetp.ne.b32 adds, %37, 0;\n"
                 "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {" REGISTERS_32
                 "}, {%32, %33, %34, %35}, %36, adds, 1, 1, 1;\n}"
                 : SUMS_32(0)
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(adds));
}

// And with a in shared memory, its depth running fastest.
__device__ __forceinline__ void product_of_tiles(float (&c)[32], uint64_t a, uint64_t b, int adds) {
    asm volatile("{\n.reg .pred adds;\nsetp.ne.b32 adds, %34, 0;\n"
                 "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {" REGISTERS_32
                 "}, %32, %33, adds, 1, 1, 0, 1;\n}"
                 : SUMS_32(0)
                 : "l"(a), "l"(b), "r"(adds));
}
