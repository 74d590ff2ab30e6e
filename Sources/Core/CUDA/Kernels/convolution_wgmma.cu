// Convolution at stride 1 by Hopper's warpgroup products, tiles brought by the tensor memory accelerator.
// SPDX-License-Identifier: Apache-2.0

extern __shared__ __align__(1024) unsigned char shared_bytes[];

// The driver's description of a tensor, made on the host.
struct __align__(64) TensorMap {
    uint64_t words[16];
};

// MARK: Barriers and copies (PTX ISA: mbarrier, cp.async.bulk.tensor)

__device__ __forceinline__ void set_barrier(uint32_t barrier, int arrivals) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(arrivals) : "memory");
}

__device__ __forceinline__ void arrive(uint32_t barrier) {
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory");
}

__device__ __forceinline__ void arrive_expecting(uint32_t barrier, int bytes) {
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes)
                 : "memory");
}

// Until the phase of this parity is complete.
__device__ __forceinline__ void wait_for(uint32_t barrier, int parity) {
    asm volatile(
        "{\n.reg .pred done;\n"
        "again:\nmbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
        "@!done bra again;\n}\n" ::"r"(barrier),
        "r"(parity)
        : "memory");
}

__device__ __forceinline__ void load_box(uint32_t to, const TensorMap *map, uint32_t barrier, int x,
                                         int y) {
    asm volatile(
        "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%3, "
        "%4}], [%2];" ::"r"(to),
        "l"(map), "r"(barrier), "r"(x), "r"(y)
        : "memory");
}

__device__ __forceinline__ void load_box(uint32_t to, const TensorMap *map, uint32_t barrier, int c,
                                         int x, int y, int image) {
    asm volatile(
        "cp.async.bulk.tensor.4d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%3, "
        "%4, %5, %6}], [%2];" ::"r"(to),
        "l"(map), "r"(barrier), "r"(c), "r"(x), "r"(y), "r"(image)
        : "memory");
}

// Until all warps that multiply are here.
template <int WARPS>
__device__ __forceinline__ void wait_for_warps() {
    asm volatile("bar.sync 1, %0;" ::"n"(WARPS * 32) : "memory");
}

// MARK: Products (PTX ISA: wgmma)

// Rows of 64 bytes, 16-byte pieces permuted as the copies leave them ("64B swizzle"); groups of 8 rows lie
// 512 bytes apart.
__device__ __forceinline__ uint64_t matrix_descriptor(uint32_t address) {
    return (uint64_t)(address >> 4 & 0x3fff) | 1ull << 16 | (uint64_t)(512 >> 4) << 32 | 2ull << 62;
}

// d (64 × N) = a (64 × 16) · b (N × 16)ᵀ, plus d where asked for. Thread t of the warpgroup holds rows
// 16·(t / 32) + t % 32 / 4 (+ 8) and, for each 8 columns, the two from 2·(t % 4) on.
template <int N>
__device__ __forceinline__ void multiply(float (&d)[N / 2], uint64_t a, uint64_t b, int adds);

#define LIST_4 "%0, %1, %2, %3"
#define LIST_16 LIST_4 ", %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15"
#define LIST_32                                                                                   \
    LIST_16 ", %16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
#define LIST_64                                                                                   \
    LIST_32 ", %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "  \
            "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
#define LIST_80                                                                                   \
    LIST_64 ", %64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79"
#define SUMS_4(i) "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3])
#define SUMS_16(i) SUMS_4(i), SUMS_4(i + 4), SUMS_4(i + 8), SUMS_4(i + 12)
#define SUMS_32(i) SUMS_16(i), SUMS_16(i + 16)
#define SUMS_64(i) SUMS_32(i), SUMS_32(i + 32)
#define MULTIPLY(N, LIST, A, B, ADDS, ...)                                                        \
    template <>                                                                                   \
    __device__ __forceinline__ void multiply<N>(float (&d)[N / 2], uint64_t a, uint64_t b,        \
                                                int adds) {                                       \
        asm volatile("{\n.reg .pred adds;\nsetp.ne.b32 adds, " ADDS ", 0;\n"                      \
                     "wgmma.mma_async.sync.aligned.m64n" #N "k16.f32.bf16.bf16 {" LIST "}, " A    \
                     ", " B ", adds, 1, 1, 0, 0;\n}\n"                                            \
                     : __VA_ARGS__                                                                \
                     : "l"(a), "l"(b), "r"(adds));                                                \
    }
MULTIPLY(8, LIST_4, "%4", "%5", "%6", SUMS_4(0))
MULTIPLY(32, LIST_16, "%16", "%17", "%18", SUMS_16(0))
MULTIPLY(64, LIST_32, "%32", "%33", "%34", SUMS_32(0))
MULTIPLY(128, LIST_64, "%64", "%65", "%66", SUMS_64(0))
MULTIPLY(160, LIST_80, "%80", "%81", "%82", SUMS_64(0), SUMS_16(64))

template <int N>
__device__ __forceinline__ void keep_in_registers(float (&d)[N]) {
#pragma unroll
    for (int i = 0; i < N; i++) asm volatile("" : "+f"(d[i])::"memory");
}

__device__ __forceinline__ void begin_products() {
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}
__device__ __forceinline__ void commit_products() {
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
template <int pending>
__device__ __forceinline__ void wait_for_products() {
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(pending) : "memory");
}

// MARK: Convolution

// out[b, i·step + a, j·step + a′, m] = bias[m] + residual + Σ_{u,v,c} weight[p, m, u, v, c] · x[b, i + u + top + a,
// j + v + left + a′, c] for i < height, j < width and phases p = (a, a′) < step (one unless an upsampling comes
// before); zeros outside of x.
struct MapShape {
    int outputs, images, height, width;
    // Blocks of 32 input channels; taps.
    int blocks, tap_rows, tap_columns, top, left, step;
    // A tile is 2^log_width × 2^log_height pixels of as many images as fill it.
    int log_width, log_height;
    // Whether out is float [b, m, i, j] instead of bf16 with channels last.
    int is_plain;
};

struct TilePlace {
    int phase, first_output, x, y, image;
    // Which of how many tiles of its image, where it is of one.
    int tile, tiles;
};

template <int ROWS, int N>
__device__ __forceinline__ TilePlace tile_place(int tile, const MapShape &s) {
    int across = (s.outputs + N - 1) / N;
    int columns = (s.width + (1 << s.log_width) - 1) >> s.log_width;
    int rows = (s.height + (1 << s.log_height) - 1) >> s.log_height;
    TilePlace at;
    at.first_output = tile % across * N;
    tile /= across;
    at.x = tile % columns << s.log_width;
    tile /= columns;
    at.y = tile % rows << s.log_height;
    tile /= rows;
    int images = ROWS >> (s.log_width + s.log_height);
    int groups = (s.images + images - 1) / images;
    at.image = tile % groups * images;
    at.phase = tile / groups;
    at.tiles = s.step * s.step * rows * columns;
    at.tile = at.phase * rows * columns + (at.y >> s.log_height) * columns + (at.x >> s.log_width);
    return at;
}

// Two bf16 that nothing writes while the kernel runs.
__device__ __forceinline__ uint32_t load_constant(const uint16_t *p) {
    uint32_t x;
    asm("ld.global.nc.b32 %0, [%1];" : "=r"(x) : "l"(p));
    return x;
}

// Writes a warpgroup's sums, those of MT products of 64 pixels from `first_product` of the tile on.
// With `moments`, also Σ and Σ² of every output over the tile: [images][tiles of an image][outputs][2].
// `shared` holds 2·N floats of every warp that multiplies.
template <int WARPS, int MT, int N>
__device__ __forceinline__ void store_tile(float (&sum)[MT][N / 2], const TilePlace &at,
                                           const MapShape &s, const float *bias,
                                           const uint16_t *residual, void *out, float *moments,
                                           float2 *shared, int first_product) {
    int lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
    int out_height = s.height * s.step, out_width = s.width * s.step;
    // Of every row of eight: the pixel in the result, −1 outside.
    int pixels[MT][2];
#pragma unroll
    for (int m = 0; m < MT; m++)
#pragma unroll
        for (int h = 0; h < 2; h++) {
            int row = (first_product + m) * 64 + threadIdx.x / 32 % 4 * 16 + g + h * 8;
            int x = at.x + (row & ((1 << s.log_width) - 1));
            int y = at.y + (row >> s.log_width & ((1 << s.log_height) - 1));
            int image = at.image + (row >> (s.log_width + s.log_height));
            bool inside = x < s.width && y < s.height && image < s.images;
            x = x * s.step + at.phase % s.step;
            y = y * s.step + at.phase / s.step;
            pixels[m][h] = inside ? (image * out_height + y) * out_width + x : -1;
        }
    if (s.is_plain) {
        int plane = out_height * out_width;
#pragma unroll
        for (int m = 0; m < MT; m++)
#pragma unroll
            for (int h = 0; h < 2; h++) {
                if (pixels[m][h] < 0) continue;
                int image = pixels[m][h] / plane;
                float *to = (float *)out + (long long)image * s.outputs * plane + pixels[m][h] % plane;
#pragma unroll
                for (int n = 0; n < N / 8; n++)
#pragma unroll
                    for (int i = 0; i < 2; i++) {
                        int channel = at.first_output + n * 8 + t * 2 + i;
                        if (channel < s.outputs)
                            to[(long long)channel * plane] =
                                sum[m][n * 4 + h * 2 + i] + (bias ? bias[channel] : 0.0f);
                    }
            }
        return;
    }
    // The sums of the tile before have been read.
    if (moments) wait_for_warps<WARPS>();
    // The residual of several outputs is asked for at once: one at a time, each would be waited for.
    constexpr int GROUP = N / 8 < 4 ? N / 8 : 4;
    uint32_t more[GROUP][MT][2];
#pragma unroll
    for (int n = 0; n < N / 8; n++) {
        int channel = at.first_output + n * 8 + t * 2;
        bool is_output = channel < s.outputs;
        if (n % GROUP == 0) {
#pragma unroll
            for (int i = 0; i < GROUP; i++)
#pragma unroll
                for (int m = 0; m < MT; m++)
#pragma unroll
                    for (int h = 0; h < 2; h++) {
                        bool reads = residual && pixels[m][h] >= 0 && channel + i * 8 < s.outputs;
                        more[i][m][h] = 0;
                        if (reads)
                            more[i][m][h] = load_constant(
                                residual + (long long)pixels[m][h] * s.outputs + channel + i * 8);
                    }
        }
        float2 shift = make_float2(0, 0);
        if (bias && is_output) shift = *(const float2 *)(bias + channel);
        // Σ of both channels, Σ² of both.
        float total[4] = {};
#pragma unroll
        for (int m = 0; m < MT; m++)
#pragma unroll
            for (int h = 0; h < 2; h++) {
                if (pixels[m][h] < 0 || !is_output) continue;
                uint32_t residue = more[n % GROUP][m][h];
                float low = sum[m][n * 4 + h * 2] + shift.x + __uint_as_float(residue << 16);
                float high =
                    sum[m][n * 4 + h * 2 + 1] + shift.y + __uint_as_float(residue & 0xffff0000u);
                *(uint32_t *)((uint16_t *)out + (long long)pixels[m][h] * s.outputs + channel) =
                    to_bf16x2(low, high);
                total[0] += low;
                total[1] += high;
                total[2] = fmaf(low, low, total[2]);
                total[3] = fmaf(high, high, total[3]);
            }
        if (!moments) continue;
        // Over the eight rows: half of the lanes go on with one channel, half with the other.
        bool is_high = lane & 16, is_square = lane & 8;
        float a = is_high ? total[1] : total[0], b = is_high ? total[3] : total[2];
        a += __shfl_xor_sync(0xffffffffu, is_high ? total[0] : total[1], 16);
        b += __shfl_xor_sync(0xffffffffu, is_high ? total[2] : total[3], 16);
        float c = (is_square ? b : a) + __shfl_xor_sync(0xffffffffu, is_square ? a : b, 8);
        c += __shfl_xor_sync(0xffffffffu, c, 4);
        if (!(lane & 4))
            ((float *)(shared + threadIdx.x / 32 * N + n * 8 + t * 2 + (is_high ? 1 : 0)))[is_square] = c;
    }
    if (!moments) return;
    wait_for_warps<WARPS>();
    for (int c = threadIdx.x; c < N && at.first_output + c < s.outputs; c += WARPS * 32) {
        float2 total = shared[c];
        for (int w = 1; w < WARPS; w++) {
            total.x += shared[w * N + c].x;
            total.y += shared[w * N + c].y;
        }
        ((float2 *)moments)[((long long)at.image * at.tiles + at.tile) * s.outputs +
                            at.first_output + c] = total;
    }
}

// Whether the sums of a tile need registers that the copying warps give away; these are four then.
__device__ constexpr bool moves_registers(int mt, int n) { return mt * n >= 256; }

// Tiles of WARPGROUPS·MT·64 pixels × N outputs, 32 products deep per stage. One warp brings the operands, the
// others multiply; a block takes every gridDim.x-th tile.
template <int WARPGROUPS, int MT, int N, int STAGES>
__device__ __forceinline__ void convolve(const TensorMap *pixels, const TensorMap *weight,
                                         const float *bias, const uint16_t *residual, void *out,
                                         float *moments, const MapShape &s, int tiles) {
    constexpr int ROWS = WARPGROUPS * MT * 64, A_BYTES = ROWS * 64, B_BYTES = N * 64;
    constexpr int STAGE = A_BYTES + B_BYTES;
    constexpr bool MOVES_REGISTERS = moves_registers(MT, N);
    uint32_t stages = shared_address(shared_bytes), full = stages + STAGES * STAGE;
    uint32_t empty = full + STAGES * 8;
    float2 *warp_sums = (float2 *)(shared_bytes + STAGES * (STAGE + 16));
    if (threadIdx.x == 0) {
        for (int i = 0; i < STAGES; i++) {
            set_barrier(full + 8 * i, 1);
            set_barrier(empty + 8 * i, WARPGROUPS * 4);
        }
        asm volatile("fence.mbarrier_init.release.cluster;\nfence.proxy.async;" ::: "memory");
    }
    __syncthreads();
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    int chunks = s.tap_rows * s.tap_columns * s.blocks;
    int stage = 0, parity = 0;

    if (warp >= WARPGROUPS * 4) {
        if (MOVES_REGISTERS) asm volatile("setmaxnreg.dec.sync.aligned.u32 40;");
        int begin = threadIdx.x == WARPGROUPS * 128 ? blockIdx.x : tiles;
        for (int tile = begin; tile < tiles; tile += gridDim.x) {
            TilePlace at = tile_place<ROWS, N>(tile, s);
            int top = s.top + at.y + at.phase / s.step, left = s.left + at.x + at.phase % s.step;
            int row = at.phase * s.outputs + at.first_output;
            int u = 0, v = 0, block = 0;
            for (int chunk = 0; chunk < chunks; chunk++) {
                wait_for(empty + 8 * stage, parity ^ 1);
                uint32_t a = stages + stage * STAGE, barrier = full + 8 * stage;
                arrive_expecting(barrier, STAGE);
                load_box(a, pixels, barrier, block * 32, left + v, top + u, at.image);
                load_box(a + A_BYTES, weight, barrier, chunk * 32, row);
                if (++block == s.blocks) {
                    block = 0;
                    if (++v == s.tap_columns) {
                        v = 0;
                        u++;
                    }
                }
                if (++stage == STAGES) {
                    stage = 0;
                    parity ^= 1;
                }
            }
        }
    } else {
        if (MOVES_REGISTERS) asm volatile("setmaxnreg.inc.sync.aligned.u32 232;");
        int group = warp / 4;
        float sum[MT][N / 2];
        for (int tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
            int before = 0;
            for (int chunk = 0; chunk < chunks; chunk++) {
                wait_for(full + 8 * stage, parity);
                uint32_t a = stages + stage * STAGE, b = a + A_BYTES;
                begin_products();
#pragma unroll
                for (int k = 0; k < 2; k++)
#pragma unroll
                    for (int m = 0; m < MT; m++)
                        multiply<N>(sum[m], matrix_descriptor(a + (group * MT + m) * 4096 + k * 32),
                                    matrix_descriptor(b + k * 32), chunk > 0 || k > 0);
                commit_products();
                // The stage before has been read once only this one's products are under way.
                wait_for_products<1>();
                if (chunk > 0 && lane == 0) arrive(empty + 8 * before);
                before = stage;
                if (++stage == STAGES) {
                    stage = 0;
                    parity ^= 1;
                }
            }
            wait_for_products<0>();
#pragma unroll
            for (int m = 0; m < MT; m++) keep_in_registers(sum[m]);
            if (lane == 0) arrive(empty + 8 * before);

            store_tile<WARPGROUPS * 4, MT, N>(
                sum, tile_place<ROWS, N>(tile, s), s, bias, residual, out, moments, warp_sums,
                group * MT);
        }
    }
}

#define CONVOLUTION(NAME, THREADS, WARPGROUPS, MT, N, STAGES)                                     \
    extern "C" __global__ void __launch_bounds__(THREADS, 1)                                      \
        NAME(const __grid_constant__ TensorMap pixels, const __grid_constant__ TensorMap weight,  \
             const float *bias, const uint16_t *residual, void *out, float *moments, int outputs, \
             int images, int height, int width, int blocks, int tap_rows, int tap_columns,        \
             int top, int left, int step, int log_width, int log_height, int is_plain,            \
             int tiles) {                                                                         \
        MapShape s = {outputs, images, height, width, blocks,    tap_rows,   tap_columns,         \
                      top,     left,   step,   log_width, log_height, is_plain};                  \
        convolve<WARPGROUPS, MT, N, STAGES>(&pixels, &weight, bias, residual, out, moments, s,    \
                                            tiles);                                               \
    }

// Names say the tile: pixels × outputs.
CONVOLUTION(map_convolution_256x160, 384, 2, 2, 160, 7)
CONVOLUTION(map_convolution_128x160, 288, 2, 1, 160, 8)
CONVOLUTION(map_convolution_256x128, 384, 2, 2, 128, 8)
CONVOLUTION(map_convolution_256x64, 288, 2, 2, 64, 8)
CONVOLUTION(map_convolution_64x64, 160, 1, 1, 64, 8)
CONVOLUTION(map_convolution_256x32, 288, 2, 2, 32, 8)
CONVOLUTION(map_convolution_64x32, 160, 1, 1, 32, 8)
CONVOLUTION(map_convolution_256x8, 288, 2, 2, 8, 8)
