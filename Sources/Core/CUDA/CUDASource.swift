// The CUDA sources that are embedded in the program. SPDX-License-Identifier: Apache-2.0
import CCUDA

/// One file of kernels, `CUDA/Kernels/<name>.cu`; compiled when its first kernel is used.
enum CUDASource: String, Sendable, CaseIterable {
    case elementwise, reductions, optimizers
    case convolution, normalization, attention, layernorm, softmax, rows, planes, fields
    case sampling, skinny
    case attentionBF16 = "attention_bf16"
    case attentionGradientBF16 = "attention_gradient_bf16"
    /// Of compute capability 9.0 alone.
    case attentionSM90 = "attention_sm90"
    case attentionGradientSM90 = "attention_gradient_sm90"
    case convolutionF32 = "convolution_f32"
    case convolutionWGMMA = "convolution_wgmma"
    case channelsLast = "channels_last"

    private var name: ccuda_source_name {
        switch self {
        case .elementwise: CCUDA_SOURCE_ELEMENTWISE
        case .reductions: CCUDA_SOURCE_REDUCTIONS
        case .optimizers: CCUDA_SOURCE_OPTIMIZERS
        case .convolution: CCUDA_SOURCE_CONVOLUTION
        case .convolutionF32: CCUDA_SOURCE_CONVOLUTION_F32
        case .normalization: CCUDA_SOURCE_NORMALIZATION
        case .attention: CCUDA_SOURCE_ATTENTION
        case .attentionBF16: CCUDA_SOURCE_ATTENTION_BF16
        case .attentionGradientBF16: CCUDA_SOURCE_ATTENTION_GRADIENT_BF16
        case .attentionSM90: CCUDA_SOURCE_ATTENTION_SM90
        case .attentionGradientSM90: CCUDA_SOURCE_ATTENTION_GRADIENT_SM90
        case .layernorm: CCUDA_SOURCE_LAYERNORM
        case .softmax: CCUDA_SOURCE_SOFTMAX
        case .rows: CCUDA_SOURCE_ROWS
        case .planes: CCUDA_SOURCE_PLANES
        case .fields: CCUDA_SOURCE_FIELDS
        case .sampling: CCUDA_SOURCE_SAMPLING
        case .skinny: CCUDA_SOURCE_SKINNY
        case .convolutionWGMMA: CCUDA_SOURCE_CONVOLUTION_WGMMA
        case .channelsLast: CCUDA_SOURCE_CHANNELS_LAST
        }
    }

    /// The shared headers that the file builds on, in order.
    private var headers: [ccuda_source_name] {
        switch self {
        case .convolution, .convolutionWGMMA, .skinny:
            [CCUDA_SOURCE_COMMON, CCUDA_SOURCE_TENSORCORE]
        case .attention: [CCUDA_SOURCE_COMMON, CCUDA_SOURCE_ATTENTION_HEADER]
        case .attentionBF16, .attentionGradientBF16:
            [
                CCUDA_SOURCE_COMMON, CCUDA_SOURCE_TENSORCORE, CCUDA_SOURCE_ATTENTION_HEADER,
                CCUDA_SOURCE_ATTENTION_BF16_HEADER,
            ]
        case .attentionSM90, .attentionGradientSM90:
            [
                CCUDA_SOURCE_COMMON, CCUDA_SOURCE_TENSORCORE, CCUDA_SOURCE_WGMMA,
                CCUDA_SOURCE_ATTENTION_HEADER, CCUDA_SOURCE_ATTENTION_SM90_HEADER,
            ]
        default: [CCUDA_SOURCE_COMMON]
        }
    }

    /// The shared headers, then the file's text with its own line numbers.
    var text: String {
        headers.map { String(cString: ccuda_source($0)) }.joined()
            + "\n#line 1 \"\(rawValue).cu\"\n" + String(cString: ccuda_source(name))
    }
}
