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
    // Of the input; whether SiLU follows its maps.
    int channels, in_height, in_width, activates;
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

// Writes a warpgroup's sums; `place` moves a tile's first pixel to the one of a row of the m-th product.
// With `moments`, also Σ and Σ² of every output over the tile: [images][tiles of an image][outputs][2].
// `shared` holds 2·N floats of every warp that multiplies.
template <int WARPS, int MT, int N, typename Place>
__device__ __forceinline__ void store_tile(float (&sum)[MT][N / 2], const TilePlace &at,
                                           const MapShape &s, const float *bias,
                                           const uint16_t *residual, void *out, float *moments,
                                           float2 *shared, Place place) {
    int lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
    int out_height = s.height * s.step, out_width = s.width * s.step;
    // Of every row of eight: the pixel in the result, −1 outside.
    int pixels[MT][2];
#pragma unroll
    for (int m = 0; m < MT; m++)
#pragma unroll
        for (int h = 0; h < 2; h++) {
            int x = at.x, y = at.y, image = at.image;
            place(m, threadIdx.x / 32 % 4 * 16 + g + h * 8, x, y, image);
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
#pragma unroll
    for (int n = 0; n < N / 8; n++) {
        int channel = at.first_output + n * 8 + t * 2;
        bool is_output = channel < s.outputs;
        float2 shift = make_float2(0, 0);
        if (bias && is_output) shift = *(const float2 *)(bias + channel);
        // Σ of both channels, Σ² of both.
        float total[4] = {};
#pragma unroll
        for (int m = 0; m < MT; m++)
#pragma unroll
            for (int h = 0; h < 2; h++) {
                if (pixels[m][h] < 0 || !is_output) continue;
                long long to = (long long)pixels[m][h] * s.outputs + channel;
                float low = sum[m][n * 4 + h * 2] + shift.x;
                float high = sum[m][n * 4 + h * 2 + 1] + shift.y;
                if (residual) {
                    uint32_t more = *(const uint32_t *)(residual + to);
                    low += from_bf16((uint16_t)more);
                    high += from_bf16((uint16_t)(more >> 16));
                }
                *(uint32_t *)((uint16_t *)out + to) = to_bf16x2(low, high);
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
__device__ constexpr bool moves_registers(int mt, int n) { return mt * n > 256; }

// Tiles of WARPGROUPS·MT·64 pixels × N outputs, 32 products deep per stage. One warp brings the operands, the
// others multiply; a block takes every gridDim.x-th tile.
template <int WARPGROUPS, int MT, int N, int STAGES>
__device__ __forceinline__ void convolve(const TensorMap *pixels, const TensorMap *weight,
                                         const float *bias, const uint16_t *residual, void *out,
                                         float *moments, const float *,
                                         const MapShape &s, int tiles) {
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
                              [&](int m, int row, int &x, int &y, int &image) {
                                  row += (group * MT + m) * 64;
                                  x += row & ((1 << s.log_width) - 1);
                                  y += row >> s.log_width & ((1 << s.log_height) - 1);
                                  image += row >> (s.log_width + s.log_height);
                              });
        }
    }
}

// Two neighbours x of which half of z = x · scale + shift is taken: z, or SiLU(z).
__device__ __forceinline__ uint32_t map_two(uint32_t x, float scale0, float scale1, float shift0,
                                            float shift1, int activates) {
    float a = fmaf(__uint_as_float(x << 16), scale0, shift0);
    float b = fmaf(__uint_as_float(x & 0xffff0000u), scale1, shift1);
    float ta = 1, tb = 1;
    if (activates) {
        asm("tanh.approx.f32 %0, %1;" : "=f"(ta) : "f"(a));
        asm("tanh.approx.f32 %0, %1;" : "=f"(tb) : "f"(b));
    }
    return to_bf16x2(fmaf(a, ta, a), fmaf(b, tb, b));
}

// What three warps of `convolve_halo` do with the pixels that have arrived.
template <int WARPGROUPS, int N, int ROWS, int BUFFERS, int BUFFER_BYTES>
__device__ __forceinline__ void map_pixels(uint32_t buffers, int row_bytes, int plane,
                                           uint32_t full_pixels, uint32_t ready, const float *maps,
                                           float *own_maps, const MapShape &s, int tiles) {
    constexpr int HEIGHT = ROWS / 16;
    int thread = threadIdx.x - WARPGROUPS * 128 - 32, channels = s.blocks * 32;
    int columns = row_bytes / 16, pixels = columns * (HEIGHT + s.tap_rows - 1);
    int buffer = 0, parity = 0, image = -1;
    for (int tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
        TilePlace at = tile_place<ROWS, N>(tile, s);
        if (at.image != image) {
            image = at.image;
            asm volatile("bar.sync 2, 96;" ::: "memory");
            // Half of z: SiLU(z) = z/2 + z/2 · tanh(z/2).
            for (int i = thread; i < 2 * channels; i += 96) {
                int c = i % channels;
                own_maps[i] = c < s.channels ? 0.5f * maps[((long long)image * 2 + i / channels) *
                                                               s.channels + c]
                                             : 0.0f;
            }
            asm volatile("bar.sync 2, 96;" ::: "memory");
        }
        for (int block = 0; block < s.blocks; block++) {
            wait_for(full_pixels + 8 * buffer, parity);
            for (int p = thread; p < pixels; p += 96) {
                int y = at.y + s.top + p / columns, x = at.x + s.left + p % columns;
                if ((uint32_t)y >= (uint32_t)s.in_height || (uint32_t)x >= (uint32_t)s.in_width)
                    continue;
                uint4 *at = (uint4 *)(shared_bytes + (buffers - shared_address(shared_bytes)) +
                                      buffer * BUFFER_BYTES + p * 16);
#pragma unroll
                for (int piece = 0; piece < 4; piece++) {
                    const float4 *map = (const float4 *)(own_maps + block * 32 + piece * 8);
                    uint4 *own = (uint4 *)((unsigned char *)at + piece * plane);
                    uint4 v = *own;
                    float4 scale = map[0], shift = map[channels / 4];
                    v.x = map_two(v.x, scale.x, scale.y, shift.x, shift.y, s.activates);
                    v.y = map_two(v.y, scale.z, scale.w, shift.z, shift.w, s.activates);
                    scale = map[1], shift = map[channels / 4 + 1];
                    v.z = map_two(v.z, scale.x, scale.y, shift.x, shift.y, s.activates);
                    v.w = map_two(v.w, scale.z, scale.w, shift.z, shift.w, s.activates);
                    *own = v;
                }
            }
            asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
            __syncwarp();
            if (threadIdx.x % 32 == 0) arrive(ready + 8 * buffer);
            if (++buffer == BUFFERS) {
                buffer = 0;
                parity ^= 1;
            }
        }
    }
}

// The same for kernels of several taps and tiles 16 pixels wide: a tile's pixels with those around it lie in shared
// memory once, [4 pieces of 8 channels][rows][columns], and serve all taps. There eight neighbours are 128
// bytes at any multiple of 16, as products read them without a swizzle: a tap is an offset.
//
// With `maps` [images][2][channels] they become SiLU(x · scale + shift) (or without SiLU) on the way, by three warps
// that work on them in place; what lies outside of the input stays zero.
template <int WARPGROUPS, int MT, int N, int BUFFERS, int STAGES>
__device__ __forceinline__ void convolve_halo(const TensorMap *pixels, const TensorMap *weight,
                                              const float *bias, const uint16_t *residual, void *out,
                                              float *moments, const float *maps,
                                              const MapShape &s, int tiles) {
    constexpr int ROWS = WARPGROUPS * MT * 64, HEIGHT = ROWS / 16, STAGE = N * 64;
    constexpr bool MOVES_REGISTERS = moves_registers(MT, N);
    // Room for three rows and columns of taps; copies start at multiples of 128 bytes.
    constexpr int MOST_PLANE = (18 * (HEIGHT + 2) * 16 + 127) / 128 * 128;
    int row_bytes = (16 + s.tap_columns - 1) * 16;
    int box_bytes = (HEIGHT + s.tap_rows - 1) * row_bytes, plane = (box_bytes + 127) / 128 * 128;
    uint32_t stages = shared_address(shared_bytes), buffers = stages + STAGES * STAGE;
    uint32_t full = buffers + BUFFERS * 4 * MOST_PLANE, empty = full + STAGES * 8;
    uint32_t full_pixels = empty + STAGES * 8, empty_pixels = full_pixels + BUFFERS * 8;
    uint32_t ready = empty_pixels + BUFFERS * 8;
    float2 *warp_sums =
        (float2 *)(shared_bytes + STAGES * (STAGE + 16) + BUFFERS * (4 * MOST_PLANE + 24) + 8);
    float *own_maps = (float *)(warp_sums + WARPGROUPS * 4 * N);
    if (threadIdx.x == 0) {
        for (int i = 0; i < STAGES; i++) {
            set_barrier(full + 8 * i, 1);
            set_barrier(empty + 8 * i, WARPGROUPS * 4);
        }
        for (int i = 0; i < BUFFERS; i++) {
            set_barrier(full_pixels + 8 * i, 1);
            set_barrier(empty_pixels + 8 * i, WARPGROUPS * 4);
            set_barrier(ready + 8 * i, 3);
        }
        asm volatile("fence.mbarrier_init.release.cluster;\nfence.proxy.async;" ::: "memory");
    }
    __syncthreads();
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    int taps = s.tap_rows * s.tap_columns;
    int stage = 0, parity = 0, buffer = 0, pixel_parity = 0;

    if (warp >= WARPGROUPS * 4) {
        if (MOVES_REGISTERS) asm volatile("setmaxnreg.dec.sync.aligned.u32 48;");
        if (maps && warp > WARPGROUPS * 4)
            map_pixels<WARPGROUPS, N, ROWS, BUFFERS, 4 * MOST_PLANE>(
                buffers, row_bytes, plane, full_pixels, ready, maps, own_maps, s, tiles);
        int begin = threadIdx.x == WARPGROUPS * 128 ? blockIdx.x : tiles;
        for (int tile = begin; tile < tiles; tile += gridDim.x) {
            TilePlace at = tile_place<ROWS, N>(tile, s);
            int top = s.top + at.y + at.phase / s.step, left = s.left + at.x + at.phase % s.step;
            int row = at.phase * s.outputs + at.first_output;
            for (int block = 0; block < s.blocks; block++) {
                wait_for(empty_pixels + 8 * buffer, pixel_parity ^ 1);
                uint32_t barrier = full_pixels + 8 * buffer;
                arrive_expecting(barrier, 4 * box_bytes);
                for (int piece = 0; piece < 4; piece++)
                    load_box(buffers + (buffer * 4 * MOST_PLANE) + piece * plane, pixels, barrier,
                             block * 32 + piece * 8, left, top, at.image);
                if (++buffer == BUFFERS) {
                    buffer = 0;
                    pixel_parity ^= 1;
                }
                for (int tap = 0; tap < taps; tap++) {
                    wait_for(empty + 8 * stage, parity ^ 1);
                    arrive_expecting(full + 8 * stage, STAGE);
                    load_box(stages + stage * STAGE, weight, full + 8 * stage,
                             (tap * s.blocks + block) * 32, row);
                    if (++stage == STAGES) {
                        stage = 0;
                        parity ^= 1;
                    }
                }
            }
        }
    } else {
        if (MOVES_REGISTERS) asm volatile("setmaxnreg.inc.sync.aligned.u32 232;");
        int group = warp / 4;
        // Products of 8 × 8 pixels, two beside each other.
        uint64_t layout = (uint64_t)(plane >> 4) << 16 | (uint64_t)(row_bytes >> 4) << 32;
        float sum[MT][N / 2];
        for (int tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
            int before = -1, buffer_before = -1;
            for (int block = 0; block < s.blocks; block++) {
                wait_for((maps ? ready : full_pixels) + 8 * buffer, pixel_parity);
                uint32_t first = buffers + buffer * 4 * MOST_PLANE;
                for (int u = 0; u < s.tap_rows; u++)
                    for (int v = 0; v < s.tap_columns; v++) {
                        wait_for(full + 8 * stage, parity);
                        uint32_t a = first + u * row_bytes + v * 16, b = stages + stage * STAGE;
                        begin_products();
#pragma unroll
                        for (int k = 0; k < 2; k++)
#pragma unroll
                            for (int m = 0; m < MT; m++) {
                                int place = group * MT + m;
                                uint32_t from = a + place % 2 * 128 + place / 2 * 8 * row_bytes +
                                                k * 2 * plane;
                                multiply<N>(sum[m], layout | (from >> 4 & 0x3fff),
                                            matrix_descriptor(b + k * 32), (block | u | v | k) != 0);
                            }
                        commit_products();
                        wait_for_products<1>();
                        if (lane == 0) {
                            if (before >= 0) arrive(empty + 8 * before);
                            if (u + v == 0 && buffer_before >= 0)
                                arrive(empty_pixels + 8 * buffer_before);
                        }
                        before = stage;
                        if (++stage == STAGES) {
                            stage = 0;
                            parity ^= 1;
                        }
                    }
                buffer_before = buffer;
                if (++buffer == BUFFERS) {
                    buffer = 0;
                    pixel_parity ^= 1;
                }
            }
            wait_for_products<0>();
#pragma unroll
            for (int m = 0; m < MT; m++) keep_in_registers(sum[m]);
            if (lane == 0) {
                arrive(empty + 8 * before);
                arrive(empty_pixels + 8 * buffer_before);
            }
            store_tile<WARPGROUPS * 4, MT, N>(
                sum, tile_place<ROWS, N>(tile, s), s, bias, residual, out, moments, warp_sums,
                              [&](int m, int row, int &x, int &y, int &image) {
                                  int place = group * MT + m;
                                  x += place % 2 * 8 + row % 8;
                                  y += place / 2 * 8 + row / 8;
                              });
        }
    }
}

#define CONVOLUTION(NAME, CONVOLVE, THREADS, WARPGROUPS, MT, N, ...)                              \
    extern "C" __global__ void __launch_bounds__(THREADS, 1)                                      \
        NAME(const __grid_constant__ TensorMap pixels, const __grid_constant__ TensorMap weight,  \
             const float *bias, const uint16_t *residual, void *out, float *moments,              \
             const float *maps, int outputs, int images, int height, int width, int blocks,       \
             int tap_rows, int tap_columns, int top, int left, int step, int log_width,           \
             int log_height, int is_plain, int channels, int in_height, int in_width,             \
             int activates, int tiles) {                                                          \
        MapShape s = {outputs, images,   height,    width,      blocks,   tap_rows,               \
                      tap_columns, top,  left,      step,       log_width, log_height,            \
                      is_plain, channels, in_height, in_width,  activates};                       \
        CONVOLVE<WARPGROUPS, MT, N, __VA_ARGS__>(&pixels, &weight, bias, residual, out, moments,  \
                                                 maps, s, tiles);                                 \
    }

// Names say the tile: pixels × outputs.
CONVOLUTION(map_convolution_256x160, convolve, 384, 2, 2, 160, 7)
CONVOLUTION(map_convolution_128x160, convolve, 288, 2, 1, 160, 8)
CONVOLUTION(map_convolution_256x128, convolve, 288, 2, 2, 128, 8)
CONVOLUTION(map_convolution_128x128, convolve, 288, 2, 1, 128, 8)
CONVOLUTION(map_convolution_256x64, convolve, 288, 2, 2, 64, 8)
CONVOLUTION(map_convolution_128x64, convolve, 288, 2, 1, 64, 8)
CONVOLUTION(map_convolution_64x64, convolve, 160, 1, 1, 64, 8)
CONVOLUTION(map_convolution_256x32, convolve, 288, 2, 2, 32, 8)
CONVOLUTION(map_convolution_64x32, convolve, 160, 1, 1, 32, 8)
CONVOLUTION(map_convolution_256x8, convolve, 288, 2, 2, 8, 8)
// Tiles of 16 × 16 and 16 × 8 pixels.
CONVOLUTION(map_convolution_halo_256x160, convolve_halo, 384, 2, 2, 160, 3, 12)
CONVOLUTION(map_convolution_halo_128x160, convolve_halo, 384, 2, 1, 160, 3, 12)
CONVOLUTION(map_convolution_halo_256x128, convolve_halo, 384, 2, 2, 128, 3, 12)
