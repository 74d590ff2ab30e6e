// Convolution as products of implicit matrices on the tensor cores: bf16 operands packed with channels last.
// SPDX-License-Identifier: Apache-2.0

extern __shared__ __align__(128) unsigned char shared_bytes[];

// MARK: Packing

// x [B, C, P] f32 → [B, P, C8·8] bf16, channels beyond C zero.
// Grid: (pixel tiles of 32, channel tiles of 64, B); block 256.
extern "C" __global__ void pack_pixels(const float *x, uint16_t *out, int channels, int pixels, int c8) {
    __shared__ float tile[64][33];
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    int first_pixel = blockIdx.x * 32, first_channel = blockIdx.y * 64;
    const float *image = x + (long long)blockIdx.z * channels * pixels;
    for (int i = 0; i < 8; i++) {
        int c = first_channel + warp + 8 * i, p = first_pixel + lane;
        tile[warp + 8 * i][lane] =
            c < channels && p < pixels ? image[(long long)c * pixels + p] : 0.0f;
    }
    __syncthreads();
    int pixel = threadIdx.x / 8, part = threadIdx.x % 8;
    int block = blockIdx.y * 8 + part;
    if (first_pixel + pixel >= pixels || block >= c8) return;
    uint4 packed;
    const int c = part * 8;
    packed.x = to_bf16x2(tile[c][pixel], tile[c + 1][pixel]);
    packed.y = to_bf16x2(tile[c + 2][pixel], tile[c + 3][pixel]);
    packed.z = to_bf16x2(tile[c + 4][pixel], tile[c + 5][pixel]);
    packed.w = to_bf16x2(tile[c + 6][pixel], tile[c + 7][pixel]);
    ((uint4 *)out)[((long long)blockIdx.z * pixels + first_pixel + pixel) * c8 + block] = packed;
}

// A weight f32 → [rows, tap_rows, tap_columns, inner8·8] bf16, where element (row, u, v, inner) is
// w[row·row_stride + inner·inner_stride + (u0 + u·du)·width + v0 + v·dv].
extern "C" __global__ void pack_weights(const float *w, uint16_t *out, int rows, int inner, int inner8,
                                        int tap_rows, int tap_columns, int row_stride,
                                        int inner_stride, int width, int u0, int du, int v0,
                                        int dv) {
    long long at = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    int padded = inner8 * 8;
    long long total = (long long)rows * tap_rows * tap_columns * padded;
    if (at >= total) return;
    int i = (int)(at % padded);
    long long rest = at / padded;
    int v = (int)(rest % tap_columns);
    rest /= tap_columns;
    int u = (int)(rest % tap_rows);
    long long row = rest / tap_rows;
    float value = i < inner ? w[row * row_stride + (long long)i * inner_stride +
                                (u0 + u * du) * width + v0 + v * dv]
                            : 0.0f;
    out[at] = to_bf16(value);
}

// MARK: Forward, and the gradient to the input

// Where the matrices of one convolution lie.
//
// out[b, m, i·out_step + out_y, j·out_step + out_x] = bias[m]
//     + Σ_{u,v,c} weight[m, u, v, c] · x[b, i·step + u + off_y, j·step + v + off_x, c]
// for i < grid_rows, j < grid_columns; zeros outside of x.
struct Planes {
    int outputs, images, grid_rows, grid_columns;
    int height, width, c8, tap_rows, tap_columns, step, off_y, off_x;
    int out_plane, out_width, out_step, out_y, out_x;
};

// One tile of WM·MT·16 outputs × WN·NT·8 pixels; 32 products deep per stage.
// With gridDim.z > 1 each z sums a part of the depth into out [z][outputs][pixels].
template <int WM, int WN, int MT, int NT, int STAGES>
__device__ __forceinline__ void convolve(const uint16_t *weight, const uint16_t *x, const float *bias, float *out, Planes s) {
    constexpr int BM = WM * MT * 16, BN = WN * NT * 8, THREADS = WM * WN * 32;
    constexpr int ROW = 40;             // 32 and padding: rows start in different banks
    constexpr int PASS = THREADS / 4;   // rows that all threads copy at once
    constexpr int A_PASSES = (BM + PASS - 1) / PASS, B_PASSES = (BN + PASS - 1) / PASS;
    uint16_t *stages = (uint16_t *)shared_bytes;
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    int warp_m = warp % WM * MT * 16, warp_n = warp / WM * NT * 8;
    int first_m = blockIdx.y * BM;
    long long first_n = (long long)blockIdx.x * BN;
    int grid_plane = s.grid_rows * s.grid_columns;
    long long pixels = (long long)s.images * grid_plane;
    int depth8 = s.tap_rows * s.tap_columns * s.c8;
    int steps = (depth8 + 3) / 4;
    int per_part = (steps + gridDim.z - 1) / gridDim.z;
    int begin = blockIdx.z * per_part, end = min(begin + per_part, steps);

    // This thread copies chunk `part` of every PASS-th row.
    int part = threadIdx.x % 4, row = threadIdx.x / 4;
    long long image_at[B_PASSES];  // first element of the row's image
    int y0[B_PASSES], x0[B_PASSES];
#pragma unroll
    for (int i = 0; i < B_PASSES; i++) {
        long long n = first_n + row + i * PASS;
        bool inside = n < pixels && row + i * PASS < BN;
        int image = inside ? (int)(n / grid_plane) : 0;
        int at = inside ? (int)(n % grid_plane) : 0;
        image_at[i] = (long long)image * s.height * s.width;
        y0[i] = inside ? at / s.grid_columns * s.step + s.off_y : -(1 << 28);
        x0[i] = at % s.grid_columns * s.step + s.off_x;
    }
    // The chunk's tap and channels, moved on with each stage.
    int chunk = begin * 4 + part;
    int c = chunk % s.c8, tap = chunk / s.c8;
    // No taps at all: a phase of an input gradient that no output depends on.
    int tap_columns = max(s.tap_columns, 1);
    int v = tap % tap_columns, u = tap / tap_columns;

    auto load = [&](int stage) {
        uint16_t *a = stages + stage * (BM + BN) * ROW, *b = a + BM * ROW;
        bool inside = chunk < depth8;
#pragma unroll
        for (int i = 0; i < A_PASSES; i++) {
            int r = row + i * PASS, m = first_m + r;
            if (BM % PASS != 0 && r >= BM) break;
            bool valid = inside && m < s.outputs;
            const uint16_t *from = weight + (valid ? ((long long)m * depth8 + chunk) * 8 : 0);
            copy_async(a + r * ROW + part * 8, from, valid);
        }
#pragma unroll
        for (int i = 0; i < B_PASSES; i++) {
            int r = row + i * PASS;
            if (BN % PASS != 0 && r >= BN) break;
            int y = y0[i] + u, xx = x0[i] + v;
            bool valid = inside && (uint32_t)y < (uint32_t)s.height && (uint32_t)xx < (uint32_t)s.width;
            const uint16_t *from =
                x + (valid ? ((image_at[i] + (long long)y * s.width + xx) * s.c8 + c) * 8 : 0);
            copy_async(b + r * ROW + part * 8, from, valid);
        }
        chunk += 4;
        c += 4;
        while (c >= s.c8) {
            c -= s.c8;
            if (++v == tap_columns) {
                v = 0;
                u++;
            }
        }
    };

    float sum[MT][NT][4];
#pragma unroll
    for (int m = 0; m < MT; m++)
#pragma unroll
        for (int n = 0; n < NT; n++)
#pragma unroll
            for (int i = 0; i < 4; i++) sum[m][n][i] = 0;

#pragma unroll
    for (int i = 0; i < STAGES - 1; i++) {
        if (begin + i < end) load(i);
        commit_copies();
    }
    int stage = 0;
    for (int step = begin; step < end; step++) {
        wait_for_copies<STAGES - 2>();
        __syncthreads();
        // The stage that everybody has left since the barrier.
        if (step + STAGES - 1 < end) load(stage == 0 ? STAGES - 1 : stage - 1);
        commit_copies();
        const uint16_t *a = stages + stage * (BM + BN) * ROW, *b = a + BM * ROW;
#pragma unroll
        for (int k = 0; k < 32; k += 16) {
            uint32_t rows[MT][4], columns[NT / 2][4];
#pragma unroll
            for (int m = 0; m < MT; m++)
                load_matrices(rows[m],
                              a + (warp_m + m * 16 + lane % 16) * ROW + k + lane / 16 * 8);
#pragma unroll
            for (int n = 0; n < NT / 2; n++)
                load_matrices(columns[n], b + (warp_n + n * 16 + lane % 8 + lane / 16 * 8) * ROW +
                                              k + lane / 8 % 2 * 8);
#pragma unroll
            for (int m = 0; m < MT; m++)
#pragma unroll
                for (int n = 0; n < NT; n++)
                    mma_bf16(sum[m][n], rows[m], columns[n / 2][n % 2 * 2],
                             columns[n / 2][n % 2 * 2 + 1]);
        }
        stage = stage == STAGES - 1 ? 0 : stage + 1;
    }

    int g = lane / 4, t = lane % 4;
    if (gridDim.z > 1) {
        float *own = out + blockIdx.z * s.outputs * pixels;
#pragma unroll
        for (int n = 0; n < NT; n++) {
            long long at = first_n + warp_n + n * 8 + t * 2;
#pragma unroll
            for (int m = 0; m < MT; m++)
#pragma unroll
                for (int i = 0; i < 4; i++) {
                    int channel = first_m + warp_m + m * 16 + g + i / 2 * 8;
                    if (channel < s.outputs && at + i % 2 < pixels)
                        own[channel * pixels + at + i % 2] = sum[m][n][i];
                }
        }
        return;
    }
    float shift[MT][2];
#pragma unroll
    for (int m = 0; m < MT; m++)
#pragma unroll
        for (int i = 0; i < 2; i++) {
            int channel = first_m + warp_m + m * 16 + g + i * 8;
            shift[m][i] = bias && channel < s.outputs ? bias[channel] : 0.0f;
        }
    // Two neighbours are one store where they lie side by side in one image.
    bool paired = s.out_step == 1 && s.out_plane % 2 == 0 && grid_plane == s.out_plane;
#pragma unroll
    for (int n = 0; n < NT; n++) {
        long long at = first_n + warp_n + n * 8 + t * 2;
        if (at >= pixels) continue;
        long long to[2];
#pragma unroll
        for (int i = 0; i < 2; i++) {
            long long image = (at + i) / grid_plane;
            int rest = (int)((at + i) % grid_plane);
            int y = rest / s.grid_columns * s.out_step + s.out_y;
            int xx = rest % s.grid_columns * s.out_step + s.out_x;
            to[i] = image * s.outputs * s.out_plane + (long long)y * s.out_width + xx;
        }
#pragma unroll
        for (int m = 0; m < MT; m++)
#pragma unroll
            for (int h = 0; h < 2; h++) {
                int channel = first_m + warp_m + m * 16 + g + h * 8;
                if (channel >= s.outputs) continue;
                long long plane = (long long)channel * s.out_plane;
                float low = sum[m][n][2 * h] + shift[m][h];
                float high = sum[m][n][2 * h + 1] + shift[m][h];
                if (paired) {
                    *(float2 *)(out + to[0] + plane) = make_float2(low, high);
                } else {
                    out[to[0] + plane] = low;
                    if (at + 1 < pixels) out[to[1] + plane] = high;
                }
            }
    }
}

#define CONVOLUTION(NAME, WM, WN, MT, NT, STAGES, BLOCKS)                                         \
    extern "C" __global__ void __launch_bounds__(WM *WN * 32, BLOCKS)                             \
        NAME(const uint16_t *weight, const uint16_t *x, const float *bias, float *out, int outputs,         \
             int images, int grid_rows, int grid_columns, int height, int width, int c8,          \
             int tap_rows, int tap_columns, int step, int off_y, int off_x, int out_plane,        \
             int out_width, int out_step, int out_y, int out_x) {                                 \
        Planes s = {outputs, images,   grid_rows,   grid_columns, height, width,                  \
                    c8,      tap_rows, tap_columns, step,         off_y,  off_x,                  \
                    out_plane, out_width, out_step, out_y, out_x};                                \
        convolve<WM, WN, MT, NT, STAGES>(weight, x, bias, out, s);                                \
    }

// Names say the tile: outputs × pixels.
CONVOLUTION(convolution_160x128, 2, 4, 5, 4, 4, 1)
CONVOLUTION(convolution_128x128, 2, 2, 4, 8, 4, 2)
CONVOLUTION(convolution_64x256, 1, 8, 4, 4, 4, 2)
CONVOLUTION(convolution_32x256, 1, 4, 2, 8, 4, 2)
CONVOLUTION(convolution_64x64, 2, 2, 2, 4, 4, 4)

// Adds the parts of a split sum, in order: out as `Planes` says from parts [count][outputs][pixels].
extern "C" __global__ void add_convolution_parts(const float *parts, const float *bias, float *out,
                                                 int count, int outputs, int images, int grid_rows,
                                                 int grid_columns, int out_plane, int out_width,
                                                 int out_step, int out_y, int out_x) {
    int grid_plane = grid_rows * grid_columns;
    long long pixels = (long long)images * grid_plane, total = outputs * pixels;
    long long at = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= total) return;
    int channel = (int)(at / pixels);
    long long n = at % pixels;
    float sum = bias ? bias[channel] : 0.0f;
    for (int p = 0; p < count; p++) sum += parts[p * total + at];
    int rest = (int)(n % grid_plane);
    int y = rest / grid_columns * out_step + out_y, x = rest % grid_columns * out_step + out_x;
    out[(n / grid_plane * outputs + channel) * out_plane + (long long)y * out_width + x] = sum;
}

// MARK: Gradient to the weight

// parts[z][m][tap·C8·8 + c] = Σ dy[pixel, m] · x[pixel moved by tap, c] over z's part of the pixels.
// dy [B, rows·columns, M8·8] and x [B, height·width, C8·8] packed, channels last. Tiles of
// WM·MT·16 outputs × 128 columns, 32 pixels per stage; grid (columns / 128, outputs, parts).
struct Correlation {
    int outputs, m8, images, rows, columns;
    int height, width, c8, tap_rows, tap_columns, step, top, left;
};

template <int WM, int WN, int MT, int NT, int STAGES>
__device__ __forceinline__ void correlate(const uint16_t *dy, const uint16_t *x, float *parts, Correlation s) {
    constexpr int BM = WM * MT * 16, BN = 128, THREADS = WM * WN * 32;
    static_assert(WN * NT * 8 == BN, "tiles are 128 columns wide");
    constexpr int A_ROW = BM + 8, B_ROW = BN + 8;
    constexpr int A_CHUNKS = BM / 8 * 32, A_PASSES = (A_CHUNKS + THREADS - 1) / THREADS;
    constexpr int B_ROWS = THREADS / 16, B_PASSES = 32 / B_ROWS;
    constexpr int STAGE = 32 * (A_ROW + B_ROW);
    uint16_t *stages = (uint16_t *)shared_bytes;
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    int warp_m = warp % WM * MT * 16, warp_n = warp / WM * NT * 8;
    int first_m8 = blockIdx.y * (BM / 8);
    int depth8 = s.tap_rows * s.tap_columns * s.c8;
    int plane = s.rows * s.columns;
    long long pixels = (long long)s.images * plane;
    int steps = (int)((pixels + 31) / 32);
    int per_part = (steps + gridDim.z - 1) / gridDim.z;
    int begin = blockIdx.z * per_part, end = min(begin + per_part, steps);

    // This thread's column chunk of x never changes; its pixels move on by 32.
    int part = threadIdx.x % 16, row = threadIdx.x / 16;
    int chunk = blockIdx.x * 16 + part;
    bool has_column = chunk < depth8;
    int c = chunk % s.c8, tap = chunk / s.c8;
    int v = tap % s.tap_columns - s.left, u = tap / s.tap_columns - s.top;
    int image[B_PASSES], i0[B_PASSES], j0[B_PASSES];
#pragma unroll
    for (int i = 0; i < B_PASSES; i++) {
        long long pixel = (long long)begin * 32 + row + i * B_ROWS;
        image[i] = (int)(pixel / plane);
        int rest = (int)(pixel % plane);
        i0[i] = rest / s.columns;
        j0[i] = rest % s.columns;
    }

    auto load = [&](int stage, int step) {
        uint16_t *a = stages + stage * STAGE, *b = a + 32 * A_ROW;
#pragma unroll
        for (int i = 0; i < A_PASSES; i++) {
            int at = threadIdx.x + i * THREADS;
            if (A_CHUNKS % THREADS != 0 && at >= A_CHUNKS) break;
            int r = at / (BM / 8), m = at % (BM / 8);
            long long pixel = (long long)step * 32 + r;
            bool valid = pixel < pixels && first_m8 + m < s.m8;
            const uint16_t *from = dy + (valid ? (pixel * s.m8 + first_m8 + m) * 8 : 0);
            copy_async(a + r * A_ROW + m * 8, from, valid);
        }
#pragma unroll
        for (int i = 0; i < B_PASSES; i++) {
            int y = i0[i] * s.step + u, xx = j0[i] * s.step + v;
            bool valid = has_column && image[i] < s.images && (uint32_t)y < (uint32_t)s.height &&
                         (uint32_t)xx < (uint32_t)s.width;
            const uint16_t *from =
                x + (valid ? ((((long long)image[i] * s.height + y) * s.width + xx) * s.c8 + c) * 8
                           : 0);
            copy_async(b + (row + i * B_ROWS) * B_ROW + part * 8, from, valid);
            j0[i] += 32;
            while (j0[i] >= s.columns) {
                j0[i] -= s.columns;
                if (++i0[i] == s.rows) {
                    i0[i] = 0;
                    image[i]++;
                }
            }
        }
    };

    float sum[MT][NT][4];
#pragma unroll
    for (int m = 0; m < MT; m++)
#pragma unroll
        for (int n = 0; n < NT; n++)
#pragma unroll
            for (int i = 0; i < 4; i++) sum[m][n][i] = 0;

#pragma unroll
    for (int i = 0; i < STAGES - 1; i++) {
        if (begin + i < end) load(i, begin + i);
        commit_copies();
    }
    int stage = 0;
    for (int step = begin; step < end; step++) {
        wait_for_copies<STAGES - 2>();
        __syncthreads();
        if (step + STAGES - 1 < end)
            load(stage == 0 ? STAGES - 1 : stage - 1, step + STAGES - 1);
        commit_copies();
        const uint16_t *a = stages + stage * STAGE, *b = a + 32 * A_ROW;
#pragma unroll
        for (int k = 0; k < 32; k += 16) {
            uint32_t rows[MT][4], columns[NT / 2][4];
#pragma unroll
            for (int m = 0; m < MT; m++)
                load_matrices_transposed(rows[m], a + (k + lane % 8 + lane / 16 * 8) * A_ROW +
                                                      warp_m + m * 16 + lane / 8 % 2 * 8);
#pragma unroll
            for (int n = 0; n < NT / 2; n++)
                load_matrices_transposed(columns[n], b + (k + lane % 16) * B_ROW + warp_n +
                                                         n * 16 + lane / 16 * 8);
#pragma unroll
            for (int m = 0; m < MT; m++)
#pragma unroll
                for (int n = 0; n < NT; n++)
                    mma_bf16(sum[m][n], rows[m], columns[n / 2][n % 2 * 2],
                             columns[n / 2][n % 2 * 2 + 1]);
        }
        stage = stage == STAGES - 1 ? 0 : stage + 1;
    }

    int g = lane / 4, t = lane % 4, depth = depth8 * 8;
    float *own = parts + (long long)blockIdx.z * s.outputs * depth;
#pragma unroll
    for (int n = 0; n < NT; n++) {
        int column = blockIdx.x * BN + warp_n + n * 8 + t * 2;
        if (column >= depth) continue;
#pragma unroll
        for (int m = 0; m < MT; m++)
#pragma unroll
            for (int h = 0; h < 2; h++) {
                int channel = first_m8 * 8 + warp_m + m * 16 + g + h * 8;
                if (channel < s.outputs)
                    *(float2 *)(own + (long long)channel * depth + column) =
                        make_float2(sum[m][n][2 * h], sum[m][n][2 * h + 1]);
            }
    }
}

#define CORRELATION(NAME, WM, WN, MT, NT, STAGES, BLOCKS)                                         \
    extern "C" __global__ void __launch_bounds__(WM *WN * 32, BLOCKS)                             \
        NAME(const uint16_t *dy, const uint16_t *x, float *parts, int outputs, int m8, int images,          \
             int rows, int columns, int height, int width, int c8, int tap_rows,                  \
             int tap_columns, int step, int top, int left) {                                      \
        Correlation s = {outputs, m8, images,   rows,        columns, height, width,              \
                         c8,      tap_rows, tap_columns, step,    top,    left};                  \
        correlate<WM, WN, MT, NT, STAGES>(dy, x, parts, s);                                       \
    }

CORRELATION(correlation_160x128, 2, 4, 5, 4, 4, 1)
CORRELATION(correlation_128x128, 2, 2, 4, 8, 4, 2)
CORRELATION(correlation_64x128, 1, 4, 4, 4, 4, 2)
CORRELATION(correlation_32x128, 1, 4, 2, 4, 4, 2)

// dw [O, C, taps] = Σ parts [count][O][taps][padded].
extern "C" __global__ void add_correlation_parts(const float *parts, float *dw, int count,
                                                 int outputs, int channels, int taps, int padded) {
    long long total = (long long)outputs * taps * padded;
    long long at = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= total) return;
    int c = (int)(at % padded), tap = (int)(at / padded % taps);
    long long o = at / padded / taps;
    if (c >= channels) return;
    float sum = 0;
    for (int p = 0; p < count; p++) sum += parts[p * total + at];
    dw[(o * channels + c) * taps + tap] = sum;
}

// MARK: Bias

// sums [O] = Σ dy; parts [gridDim.y][O] of the images are added, in their order, by whichever block of a
// channel comes last. Grid (O, parts), block 256.
extern "C" __global__ void channel_sums(const float *dy, float *parts, float *sums, int *arrivals,
                                        int batch, int outputs, int plane) {
    __shared__ float scratch[8];
    int per_part = (batch + gridDim.y - 1) / gridDim.y;
    int begin = blockIdx.y * per_part, end = min(begin + per_part, batch);
    float sum = 0;
    for (int b = begin; b < end; b++) {
        const float *from = dy + ((long long)b * outputs + blockIdx.x) * plane;
        float image = 0;
        if (plane % 4 == 0) {
            for (int i = threadIdx.x; i < plane / 4; i += 256) {
                float4 x = ((const float4 *)from)[i];
                image += (x.x + x.y) + (x.z + x.w);
            }
        } else {
            for (int i = threadIdx.x; i < plane; i += 256) image += from[i];
        }
        sum += image;
    }
    sum = block_sum(sum, scratch);
    if (threadIdx.x != 0) return;
    parts[(long long)blockIdx.y * outputs + blockIdx.x] = sum;
    if (!is_last(arrivals + blockIdx.x, gridDim.y)) return;
    sum = 0;
    for (int p = 0; p < gridDim.y; p++) sum += load_fresh(parts + (long long)p * outputs + blockIdx.x);
    sums[blockIdx.x] = sum;
}
