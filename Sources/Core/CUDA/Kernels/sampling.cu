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

// The bin of a histogram in which the count from above reaches `wanted`, and what is left to count
// inside it; by one warp.
__device__ __forceinline__ void bin_from_above(const int* bins, int wanted, int* bin, int* left) {
    const int lane = threadIdx.x & 31;
    int own = 0;
    for (int i = 0; i < 8; ++i) own += bins[8 * lane + i];
    int above = own;
    for (int offset = 1; offset < 32; offset <<= 1) {
        const int other = __shfl_down_sync(0xffffffffu, above, offset);
        if (lane + offset < 32) above += other;
    }
    above -= own;
    if (above < wanted && above + own >= wanted) {
        int count = above;
        for (int i = 7; i >= 0; --i) {
            const int here = bins[8 * lane + i];
            if (count + here >= wanted) {
                *bin = 8 * lane + i;
                *left = wanted - count;
                break;
            }
            count += here;
        }
    }
}

// Probabilities as whole numbers of 2^-44: sums do not depend on their order.
#define UNIT 17592186044416.0

__device__ __forceinline__ bool exceeds(uint64_t mass, float limit) {
    return (float)((double)mass * (1.0 / UNIT)) > limit;
}

// The first bin up to which the mass exceeds the limit, −1 for none, and the mass before it; by one
// warp.
__device__ __forceinline__ void bin_from_below(
    const uint64_t* bins, uint64_t before, float limit, int* bin, uint64_t* mass) {
    const int lane = threadIdx.x & 31;
    uint64_t own = 0;
    for (int i = 0; i < 8; ++i) own += bins[8 * lane + i];
    uint64_t up = own;
    for (int offset = 1; offset < 32; offset <<= 1) {
        const uint64_t other = __shfl_up_sync(0xffffffffu, up, offset);
        if (lane >= offset) up += other;
    }
    uint64_t sum = before + up - own;
    if (!exceeds(sum, limit) && exceeds(before + up, limit)) {
        for (int i = 0; i < 8; ++i) {
            const uint64_t here = bins[8 * lane + i];
            if (exceeds(sum + here, limit)) {
                *bin = 8 * lane + i;
                *mass = sum;
                break;
            }
            sum += here;
        }
    }
}

// One code a row: top-k, top-p, then the first code whose cumulative weight exceeds u times all of it.
// Rows that are not `chosen` keep their code and confidence. `limit` is 1 − p, below 0 for no top-p.
extern "C" __global__ void draw_codes(
    const float* logits, const double* uniforms, const float* chosen, int32_t* codes,
    float* confidence, int32_t* failure, int call, int width, int top_k, float limit) {
    extern __shared__ float shared[];
    __shared__ float scratch[32];
    __shared__ double scratch_double[32];
    __shared__ int scratch_int[32];
    __shared__ int bins[256];
    __shared__ uint64_t masses[256];
    __shared__ int found_bin, found_left, is_bad, first_code, last_code;
    __shared__ uint64_t found_mass;
    const int64_t row = blockIdx.x;
    if (chosen && chosen[row] == 0.0f) return;
    float* values = shared;
    float* weights = shared + place(width) + 1;
    const float* source = logits + row * width;
    if (threadIdx.x == 0) is_bad = 0, first_code = width, last_code = 0;
    __syncthreads();
    float largest = -INFINITY_F;
    for (int i = threadIdx.x; i < width; i += blockDim.x) {
        const float x = source[i];
        values[place(i)] = x;
        if (!(fabsf(x) < INFINITY_F)) is_bad = 1;
        largest = fmaxf(largest, x);
    }
    largest = block_max(largest, scratch);
    if (is_bad) {
        if (threadIdx.x == 0) {
            atomicCAS(failure, 0, call);
            codes[row] = 0;
            confidence[row] = 0.0f;
        }
        return;
    }
    uint32_t lowest = 0;
    if (top_k > 0 && top_k < width) {
        uint32_t prefix = 0, mask = 0;
        int wanted = top_k;
        for (int shift = 24; shift >= 0; shift -= 8) {
            __syncthreads();
            for (int i = threadIdx.x; i < 256; i += blockDim.x) bins[i] = 0;
            __syncthreads();
            for (int i = threadIdx.x; i < width; i += blockDim.x) {
                const uint32_t key = key_of(values[place(i)]);
                if ((key & mask) == prefix) atomicAdd(&bins[(key >> shift) & 255], 1);
            }
            __syncthreads();
            if (threadIdx.x < 32) bin_from_above(bins, wanted, &found_bin, &found_left);
            __syncthreads();
            prefix |= (uint32_t)found_bin << shift;
            mask |= 255u << shift;
            wanted = found_left;
        }
        lowest = prefix;
    }
    float part = 0;
    for (int i = threadIdx.x; i < width; i += blockDim.x) {
        const float x = values[place(i)];
        const float w = key_of(x) >= lowest ? expf(x - largest) : 0.0f;
        weights[place(i)] = w;
        part += w;
    }
    const int chunk = (width + blockDim.x - 1) / blockDim.x;
    const int start = min(width, (int)threadIdx.x * chunk), end = min(width, start + chunk);
    if (limit >= 0.0f) {
        const float total = block_sum(part, scratch);
        uint32_t prefix = 0, mask = 0;
        uint64_t before = 0;
        bool is_crossed = true;
        for (int shift = 24; shift >= 0 && is_crossed; shift -= 8) {
            __syncthreads();
            for (int i = threadIdx.x; i < 256; i += blockDim.x) masses[i] = 0;
            if (threadIdx.x == 0) found_bin = -1;
            __syncthreads();
            for (int i = threadIdx.x; i < width; i += blockDim.x) {
                const uint32_t key = key_of(values[place(i)]);
                if (key < lowest || (key & mask) != prefix) continue;
                const uint64_t mass = (uint64_t)((double)(weights[place(i)] / total) * UNIT + 0.5);
                if (mass) atomicAdd(&masses[(key >> shift) & 255], mass);
            }
            __syncthreads();
            if (threadIdx.x < 32)
                bin_from_below(masses, before, limit, &found_bin, &found_mass);
            __syncthreads();
            is_crossed = found_bin >= 0;
            if (is_crossed) {
                prefix |= (uint32_t)found_bin << shift;
                before = found_mass;
                mask |= 255u << shift;
            }
        }
        if (!is_crossed) prefix = key_of(largest);
        int ties = 0;
        for (int i = start; i < end; ++i) ties += key_of(values[place(i)]) == prefix;
        const int first = block_before(ties, scratch_int);
        const int all = (int)block_sum((float)ties, scratch);
        // Of equal values the first are taken away; the last value of all stays.
        int removed = all - 1;
        if (is_crossed) {
            const float x = __uint_as_float(
                prefix ^ ((prefix >> 31) ? 0x80000000u : 0xffffffffu));
            const uint64_t mass = (uint64_t)((double)(expf(x - largest) / total) * UNIT + 0.5);
            removed = 0;
            while (removed < all - 1 && !exceeds(before + (removed + 1) * mass, limit)) ++removed;
        }
        int seen = first;
        for (int i = start; i < end; ++i) {
            const uint32_t key = key_of(values[place(i)]);
            if (key < prefix || (key == prefix && seen++ < removed)) weights[place(i)] = 0.0f;
        }
    }
    __syncthreads();
    double own = 0;
    for (int i = start; i < end; ++i) own += (double)weights[place(i)];
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

// Entropy in bits and the `count` likeliest codes of unfiltered rows, the lower code on ties.
extern "C" __global__ void summarize_rows(
    const float* logits, const float* chosen, float* entropy, int32_t* codes, float* probabilities,
    int width, int count) {
    __shared__ float scratch[32];
    __shared__ uint64_t best_of[32];
    const int64_t row = blockIdx.x;
    if (chosen && chosen[row] == 0.0f) return;
    const float* source = logits + row * width;
    float largest = -INFINITY_F;
    for (int i = threadIdx.x; i < width; i += blockDim.x) largest = fmaxf(largest, source[i]);
    largest = block_max(largest, scratch);
    float total = 0, weighted = 0;
    for (int i = threadIdx.x; i < width; i += blockDim.x) {
        const float x = source[i] - largest, w = expf(x);
        total += w;
        weighted += w * x;
    }
    total = block_sum(total, scratch);
    weighted = block_sum(weighted, scratch);
    if (threadIdx.x == 0)
        entropy[row] = fmaxf(0.0f, (logf(total) - weighted / total) * 1.4426950408889634f);
    // Value and code in one word: larger is likelier, then lower.
    uint64_t below = ~0ull;
    for (int k = 0; k < count; ++k) {
        uint64_t best = 0;
        for (int i = threadIdx.x; i < width; i += blockDim.x) {
            const uint64_t word =
                ((uint64_t)key_of(source[i]) << 32) | (uint32_t)(0xffffffffu - (uint32_t)i);
            if (word < below && word > best) best = word;
        }
        for (int offset = 16; offset > 0; offset >>= 1) {
            const uint64_t other = __shfl_xor_sync(0xffffffffu, best, offset);
            if (other > best) best = other;
        }
        __syncthreads();
        if ((threadIdx.x & 31) == 0) best_of[threadIdx.x >> 5] = best;
        __syncthreads();
        for (int w = 0; w < (int)(blockDim.x >> 5); ++w)
            if (best_of[w] > best) best = best_of[w];
        below = best;
        if (threadIdx.x == 0) {
            const int code = (int)(0xffffffffu - (uint32_t)best);
            codes[row * count + k] = code;
            probabilities[row * count + k] = expf(source[code] - largest) / total;
        }
    }
}

// One picture a block: of the first `length` positions (all in order when `is_first`), the `number` of
// lowest confidence come first, in the order of a stable ascending sort, and are flagged.
extern "C" __global__ void mask_least_confident(
    const float* confidence, int32_t* positions, float* flags, int count, int length, int number,
    int is_first) {
    extern __shared__ float shared[];
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
