// Choosing codes from logits: filters, draws, confidence, masks, and pictures as bytes.
// SPDX-License-Identifier: Apache-2.0

// A key that orders as the float does; NaN is not given.
__device__ __forceinline__ uint32_t key_of(float x) {
    const uint32_t bits = __float_as_uint(x);
    return bits ^ ((bits >> 31) ? 0xffffffffu : 0x80000000u);
}

// Rows lie in shared memory with a gap after every 32 values, so that threads which walk parts of
// their own do not meet in a bank.
__device__ __forceinline__ int place(int i) { return i + (i >> 5); }

// The sum of what the threads before this one have; `scratch` holds 32 values.
template <typename T>
__device__ __forceinline__ T block_before(T x, T* scratch) {
    const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
    T sum = x;
    for (int offset = 1; offset < 32; offset <<= 1) {
        const T other = __shfl_up_sync(0xffffffffu, sum, offset);
        if (lane >= offset) sum += other;
    }
    __syncthreads();
    if (lane == 31) scratch[warp] = sum;
    __syncthreads();
    T before = sum - x;
    for (int w = 0; w < warp; ++w) before += scratch[w];
    return before;
}

// Sums over the block, known to all; two buffers of 32 in turn, so that one barrier is enough. Blocks of whole
// warps, all of which take part.
__device__ __forceinline__ int count_all(int own, int* buffer) {
    own = __reduce_add_sync(0xffffffffu, own);
    if ((threadIdx.x & 31) == 0) buffer[threadIdx.x >> 5] = own;
    __syncthreads();
    const int lane = threadIdx.x & 31;
    return __reduce_add_sync(0xffffffffu, lane < (int)(blockDim.x >> 5) ? buffer[lane] : 0);
}

// Probabilities as whole numbers of 2^-44: sums do not depend on their order.
#define UNIT 17592186044416.0

// The largest mass that as a float is not above the limit, which is at least 0 and below 1.
__device__ __forceinline__ uint64_t largest_within(float limit) {
    // Between this float and the next; what lies on the middle is rounded to the even one of the two.
    const float next = __uint_as_float(__float_as_uint(limit) + 1);
    const double middle = ((double)limit + (double)next) * (0.5 * UNIT);
    const uint64_t whole = (uint64_t)middle;
    const bool rounds_up = (double)whole == middle && (__float_as_uint(limit) & 1) != 0;
    return whole - (rounds_up ? 1 : 0);
}

__device__ __forceinline__ uint64_t mass_of(float probability) {
    return __float2ull_rn(probability * (float)UNIT);
}

// The sum over a warp, below 2^46.
__device__ __forceinline__ uint64_t warp_mass(uint64_t x) {
    const uint32_t low = __reduce_add_sync(0xffffffffu, (uint32_t)x & 0x3fffffu);
    const uint32_t high = __reduce_add_sync(0xffffffffu, (uint32_t)(x >> 22));
    return ((uint64_t)high << 22) + low;
}

// Sums over the block of masses and, below 2^16 in all, of counts.
__device__ __forceinline__ uint64_t mass_all(uint64_t own, uint64_t* buffer, int& count) {
    own = warp_mass(own) | (uint64_t)__reduce_add_sync(0xffffffffu, count) << 48;
    if ((threadIdx.x & 31) == 0) buffer[threadIdx.x >> 5] = own;
    __syncthreads();
    const int lane = threadIdx.x & 31;
    own = lane < (int)(blockDim.x >> 5) ? buffer[lane] : 0;
    count = __reduce_add_sync(0xffffffffu, (int)(own >> 48));
    return warp_mass(own & 0xffffffffffffull);
}

// One code a row: top-k, top-p, then the first code whose cumulative weight exceeds u times all of it.
// Rows that are not `chosen` keep their code and confidence. `limit` is 1 − p, below 0 for no top-p.
template <int N>
__device__ __forceinline__ void draw_code(
    const float* logits, const double* uniforms, const float* chosen, int32_t* codes,
    float* confidence, int32_t* failure, int64_t row, int call, int width, int top_k, float limit,
    float* shared) {
    __shared__ float scratch[32];
    __shared__ double scratch_double[32];
    __shared__ int scratch_int[2][32];
    __shared__ uint64_t scratch_mass[2][32];
    __shared__ int is_bad, first_code, last_code;
    __shared__ uint32_t found_key;
    if (chosen && chosen[row] == 0.0f) return;
    float* values = shared;
    float* weights = shared + place(width) + 1;
    const float* source = logits + row * width;
    if (threadIdx.x == 0) is_bad = 0, first_code = width, last_code = 0;
    __syncthreads();
    // A thread's values are also in registers, as keys; 0 is below all of them.
    uint32_t keys[N];
    float largest = -INFINITY_F;
    uint32_t least = 0xffffffffu;
#pragma unroll
    for (int j = 0; j < N; ++j) {
        const int i = threadIdx.x + j * blockDim.x;
        keys[j] = 0;
        if (i >= width) continue;
        const float x = source[i];
        values[place(i)] = x;
        if (!(fabsf(x) < INFINITY_F)) is_bad = 1;
        largest = fmaxf(largest, x);
        keys[j] = key_of(x);
        least = min(least, keys[j]);
    }
    least = ~(uint32_t)__reduce_max_sync(0xffffffffu, ~least);
    if ((threadIdx.x & 31) == 0) scratch_int[0][threadIdx.x >> 5] = (int)least;
    largest = block_max(largest, scratch);
    if (is_bad) {
        if (threadIdx.x == 0) {
            atomicCAS(failure, 0, call);
            codes[row] = 0;
            confidence[row] = 0.0f;
        }
        return;
    }
    // Searches go bit by bit and leave out the bits that all keys share. The barriers of block_max lie behind.
    const int lane = threadIdx.x & 31;
    least = ~(uint32_t)__reduce_max_sync(
        0xffffffffu, lane < (int)(blockDim.x >> 5) ? ~(uint32_t)scratch_int[0][lane] : 0u);
    const uint32_t most = key_of(largest);
    __syncthreads();
    // The largest key that at least top_k values reach.
    uint32_t lowest = least;
    if (top_k > 0 && top_k < width) {
        const int first = least == most ? -1 : 31 - __clz(least ^ most);
        lowest = first < 0 ? least : (most >> first >> 1) << first << 1;
        for (int bit = first; bit >= 0; --bit) {
            const uint32_t wanted = lowest | (1u << bit);
            int own = 0;
#pragma unroll
            for (int j = 0; j < N; ++j) own += keys[j] >= wanted;
            const int count = count_all(own, scratch_int[bit & 1]);
            if (count >= top_k) lowest = wanted;
            // Any threshold that parts the same values will do.
            if (count == top_k) break;
        }
        __syncthreads();
    }
    float part = 0, own_weights[N];
#pragma unroll
    for (int j = 0; j < N; ++j) {
        const int i = threadIdx.x + j * blockDim.x;
        own_weights[j] = 0;
        if (i >= width) continue;
        if (keys[j] >= lowest) own_weights[j] = expf(values[place(i)] - largest);
        weights[place(i)] = own_weights[j];
        part += own_weights[j];
    }
    const int chunk = (width + blockDim.x - 1) / blockDim.x;
    const int start = min(width, (int)threadIdx.x * chunk), end = min(width, start + chunk);
    if (limit >= 0.0f) {
        const float total = block_sum(part, scratch);
        uint64_t masses[N], sum = 0;
#pragma unroll
        for (int j = 0; j < N; ++j) {
            masses[j] = mass_of(own_weights[j] / total);
            sum += masses[j];
        }
        // The largest key below which the mass stays within the limit.
        int above = 0;
        const uint64_t within = largest_within(limit);
        const bool is_crossed = mass_all(sum, scratch_mass[1], above) > within;
        const int highest = lowest == most ? -1 : 31 - __clz(lowest ^ most);
        uint32_t prefix = highest < 0 ? most : (most >> highest >> 1) << highest << 1;
        uint64_t before = 0;
        __syncthreads();
        // Values below the prefix, and below the least key that is known to be too large.
        int below = -1;
        above = -1;
        for (int bit = is_crossed ? highest : -1; bit >= 0; --bit) {
            const uint32_t wanted = prefix | (1u << bit);
            uint64_t own = 0;
            int count = 0;
#pragma unroll
            for (int j = 0; j < N; ++j) {
                own += keys[j] < wanted ? masses[j] : 0;
                count += keys[j] < wanted;
            }
            const uint64_t mass = mass_all(own, scratch_mass[bit & 1], count);
            if (mass > within)
                above = count;
            else
                prefix = wanted, before = mass, below = count;
            if (below < 0 || above != below + 1) continue;
            // One value is left between: it is the one.
            const uint32_t range = 1u << bit;
#pragma unroll
            for (int j = 0; j < N; ++j)
                if (keys[j] - prefix < range) found_key = keys[j];
            __syncthreads();
            prefix = found_key;
            break;
        }
        if (!is_crossed) prefix = key_of(largest);
        int ties = 0;
#pragma unroll
        for (int j = 0; j < N; ++j)
            if (start + j < end) ties += key_of(values[place(start + j)]) == prefix;
        const int first = block_before(ties, scratch_int[0]);
        const int all = (int)block_sum((float)ties, scratch);
        // Of equal values the first are taken away; the last value of all stays.
        int removed = all - 1;
        if (is_crossed) {
            const float x = __uint_as_float(
                prefix ^ ((prefix >> 31) ? 0x80000000u : 0xffffffffu));
            const uint64_t mass = mass_of(expf(x - largest) / total);
            removed = 0;
            while (removed < all - 1 && before + (removed + 1) * mass <= within) ++removed;
        }
        int seen = first;
        for (int i = start; i < end; ++i) {
            const uint32_t key = key_of(values[place(i)]);
            if (key < prefix || (key == prefix && seen++ < removed)) weights[place(i)] = 0.0f;
        }
    }
    __syncthreads();
    double own = 0;
#pragma unroll
    for (int j = 0; j < N; ++j)
        if (start + j < end) own += (double)weights[place(start + j)];
    double sum = block_before(own, scratch_double);
    const double total = block_sum(own, scratch_double);
    const double target = uniforms[row] * total;
    int last = -1;
    for (int i = start; i < end; ++i) {
        const double w = (double)weights[place(i)];
        if (w <= 0) continue;
        sum += w;
        last = i;
        if (sum > target) {
            atomicMin(&first_code, i);
            break;
        }
    }
    if (last >= 0) atomicMax(&last_code, last);
    __syncthreads();
    if (threadIdx.x == 0) {
        const int code = first_code < width ? first_code : last_code;
        codes[row] = code;
        confidence[row] = weights[place(code)] / (float)total;
    }
}

// Entropy in bits and the `count` likeliest codes of an unfiltered row, the lower code on ties.
__device__ __forceinline__ void summarize_row(
    const float* logits, const float* chosen, float* entropy, int32_t* codes, float* probabilities,
    int64_t row, int width, int count, float* values) {
    __shared__ float scratch[32];
    __shared__ uint64_t best_of[2][32];
    if (chosen && chosen[row] == 0.0f) return;
    const float* source = logits + row * width;
    float largest = -INFINITY_F;
    for (int i = threadIdx.x; i < width; i += blockDim.x) {
        const float x = source[i];
        values[i] = x;
        largest = fmaxf(largest, x);
    }
    largest = block_max(largest, scratch);
    float total = 0, weighted = 0;
    for (int i = threadIdx.x; i < width; i += blockDim.x) {
        const float x = values[i] - largest, w = expf(x);
        total += w;
        weighted += w * x;
    }
    total = block_sum(total, scratch);
    weighted = block_sum(weighted, scratch);
    if (threadIdx.x == 0)
        entropy[row] = fmaxf(0.0f, (logf(total) - weighted / total) * 1.4426950408889634f);
    // Value and code in one word: larger is likelier, then lower.
    uint64_t below = ~0ull;
    const int lane = threadIdx.x & 31;
    for (int k = 0; k < count; ++k) {
        uint64_t best = 0;
        for (int i = threadIdx.x; i < width; i += blockDim.x) {
            const uint64_t word =
                ((uint64_t)key_of(values[i]) << 32) | (uint32_t)(0xffffffffu - (uint32_t)i);
            if (word < below && word > best) best = word;
        }
        // The likeliest value of the warp, then the lowest code that has it.
        for (int level = 0; level < 2; ++level) {
            const uint32_t high = __reduce_max_sync(0xffffffffu, (uint32_t)(best >> 32));
            const uint32_t low =
                __reduce_max_sync(0xffffffffu, (uint32_t)(best >> 32) == high ? (uint32_t)best : 0u);
            best = ((uint64_t)high << 32) | low;
            if (level == 1) break;
            if (lane == 0) best_of[k & 1][threadIdx.x >> 5] = best;
            __syncthreads();
            best = lane < (int)(blockDim.x >> 5) ? best_of[k & 1][lane] : 0;
        }
        below = best;
        if (threadIdx.x == 0) {
            const int code = (int)(0xffffffffu - (uint32_t)best);
            codes[row * count + k] = code;
            probabilities[row * count + k] = expf(values[code] - largest) / total;
        }
    }
}

// Draws for all `rows` rows and, by blocks of their own, summaries of the first ones; either may be left out.
#define DRAW_CODES(N)                                                                              \
    extern "C" __global__ void __launch_bounds__(512) draw_codes_##N(                              \
        const float* logits, const double* uniforms, const float* chosen, int32_t* codes,          \
        float* confidence, int32_t* failure, int rows, int call, int width, int top_k,             \
        float limit, float* entropy, int32_t* likeliest, float* probabilities, int count) {        \
        extern __shared__ float shared[];                                                          \
        start_early();                                                                             \
        if ((int)blockIdx.x < rows)                                                                \
            draw_code<N>(logits, uniforms, chosen, codes, confidence, failure, blockIdx.x, call,   \
                         width, top_k, limit, shared);                                             \
        else                                                                                       \
            summarize_row(logits, chosen, entropy, likeliest, probabilities, blockIdx.x - rows,    \
                          width, count, shared);                                                   \
    }

// By how many of 512 threads' values a row may have.
DRAW_CODES(1)
DRAW_CODES(8)
DRAW_CODES(48)

// s·a − t·b over the halves of 2·count values; count a multiple of 4.
extern "C" __global__ void guide_logits(const float* logits, float* y, int64_t count, float s, float t) {
    start_early();
    const int64_t i = ((int64_t)blockIdx.x * blockDim.x + threadIdx.x) * 4;
    if (i >= count) return;
    const float4 a = *(const float4*)(logits + i), b = *(const float4*)(logits + count + i);
    // As the operators do it one by one, without contraction.
    *(float4*)(y + i) = make_float4(
        __fsub_rn(__fmul_rn(a.x, s), __fmul_rn(b.x, t)), __fsub_rn(__fmul_rn(a.y, s), __fmul_rn(b.y, t)),
        __fsub_rn(__fmul_rn(a.z, s), __fmul_rn(b.z, t)), __fsub_rn(__fmul_rn(a.w, s), __fmul_rn(b.w, t)));
}

// One picture a block: of the first `length` positions (all in order when `is_first`), the `number` of
// lowest confidence come first, in the order of a stable ascending sort, and are flagged.
extern "C" __global__ void mask_least_confident(
    const float* confidence, int32_t* positions, float* flags, int count, int length, int number,
    int is_first) {
    extern __shared__ float shared[];
    start_early();
    float* values = shared;
    int* own = (int*)(shared + length);
    int* chosen = own + length;
    confidence += (int64_t)blockIdx.x * count;
    positions += (int64_t)blockIdx.x * count;
    flags += (int64_t)blockIdx.x * count;
    for (int i = threadIdx.x; i < length; i += blockDim.x) {
        own[i] = is_first ? i : positions[i];
        values[i] = confidence[own[i]];
    }
    for (int i = threadIdx.x; i < count; i += blockDim.x) flags[i] = 0.0f;
    __syncthreads();
    for (int i = threadIdx.x; i < length; i += blockDim.x) {
        const float value = values[i];
        int rank = 0;
        for (int j = 0; j < length; ++j)
            rank += values[j] < value || (values[j] == value && j < i);
        if (rank < number) chosen[rank] = own[i];
    }
    __syncthreads();
    for (int i = threadIdx.x; i < number; i += blockDim.x) {
        positions[i] = chosen[i];
        flags[chosen[i]] = 1.0f;
    }
}

// [B, 3, plane] in [−1, 1] to [B, plane, 3] of 8 bits, rounded to nearest.
extern "C" __global__ void pixels_of_planes(
    const float* x, uint8_t* y, int64_t count, int64_t plane) {
    const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    const int64_t picture = i / plane, pixel = i % plane;
    for (int channel = 0; channel < 3; ++channel) {
        const float level = roundf(
            __fmul_rn(__fadd_rn(x[(picture * 3 + channel) * plane + pixel], 1.0f), 127.5f));
        y[3 * i + channel] = level > 0.0f ? (uint8_t)fminf(255.0f, level) : 0;
    }
}

// out (=, or += where `adds`) ½(h + conv(h)), h = the codes' vectors resized from side × side to size × size, conv
// with 3 × 3 taps and zeros around. tokens [B, side²], codebook [V, channels], weight [channels, channels, 3, 3],
// out [B, channels, size, size]; first, counts, weights: the band matrix of resizing, none where the sizes are
// the same. Grid (size, B): a block makes one row of the map, from three rows of h in shared memory.
extern "C" __global__ void convolved_codes(
    const int32_t* tokens, const float* codebook, const float* weight, const float* bias, float* out,
    int side, int size, int channels, const int* first, const int* counts, const float* weights,
    int band, int adds) {
    extern __shared__ float shared[];
    start_early();
    const int y = blockIdx.x, pitch = size + 2, plane = channels * pitch;
    tokens += (int64_t)blockIdx.y * side * side;
    out += (int64_t)blockIdx.y * channels * size * size;
    for (int i = threadIdx.x; i < 3 * plane; i += blockDim.x) {
        const int channel = i % channels, place = i / channels % pitch, r = i / plane;
        const int row = y + r - 1, column = place - 1;
        float h = 0;
        if (row >= 0 && row < size && column >= 0 && column < size) {
            if (!first)
                h = codebook[(int64_t)tokens[row * side + column] * channels + channel];
            else
                for (int t = 0; t < counts[row]; ++t) {
                    float middle = 0;
                    const int32_t* from = tokens + (first[row] + t) * side + first[column];
                    for (int s = 0; s < counts[column]; ++s)
                        middle += weights[column * band + s] * codebook[(int64_t)from[s] * channels + channel];
                    h += weights[row * band + t] * middle;
                }
        }
        shared[r * plane + channel * pitch + place] = h;
    }
    __syncthreads();
    for (int i = threadIdx.x; i < channels * size; i += blockDim.x) {
        const int column = i % size, channel = i / size;
        const float* w = weight + (int64_t)channel * channels * 9;
        float sum = 0;
#pragma unroll 4
        for (int c = 0; c < channels; ++c)
#pragma unroll
            for (int r = 0; r < 3; ++r) {
                const float* h = shared + r * plane + c * pitch + column;
                const float* taps = w + c * 9 + r * 3;
                sum += taps[0] * h[0] + taps[1] * h[1] + taps[2] * h[2];
            }
        const float h = shared[plane + channel * pitch + column + 1];
        const int64_t at = ((int64_t)channel * size + y) * size + column;
        const float value = (h + (sum + bias[channel])) * 0.5f;
        out[at] = adds ? out[at] + value : value;
    }
}
