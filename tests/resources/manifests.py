"""Manifests of every kind that use most of the schema, as a basis for mutations."""

MANIFESTS = """\
apiVersion: v1
kind: Namespace
metadata:
  name: shop
  labels: {mesh: shop, gateway: front}
---
apiVersion: appmesh.k8s.aws/v1beta2
kind: Mesh
metadata:
  name: shop
spec:
  awsName: shop-mesh
  meshOwner: "111122223333"
  namespaceSelector:
    matchLabels: {mesh: shop}
    matchExpressions:
      - {key: env, operator: NotIn, values: [test]}
  egressFilter:
    type: ALLOW_ALL
  meshServiceDiscovery:
    ipPreference: IPv4_ONLY
---
apiVersion: appmesh.k8s.aws/v1beta2
kind: VirtualGateway
metadata:
  name: front
  namespace: shop
  labels: {team: web}
spec:
  namespaceSelector: {}
  gatewayRouteSelector: {matchLabels: {public: "yes"}}
  podSelector: {matchLabels: {app: front}}
  listeners:
    - portMapping: {port: 8443, protocol: http2}
      healthCheck:
        protocol: http
        path: /ready
        healthyThreshold: 2
        unhealthyThreshold: 3
        timeoutMillis: 2000
        intervalMillis: 5000
      connectionPool:
        http2: {maxRequests: 100}
      tls:
        mode: PERMISSIVE
        certificate:
          file: {certificateChain: /certs/chain.pem, privateKey: /certs/key.pem}
        validation:
          trust:
            file: {certificateChain: /certs/ca.pem}
          subjectAlternativeNames: {match: {exact: [client.shop]}}
  logging:
    accessLog:
      file:
        path: /dev/stdout
        format:
          text: "%START_TIME% %RESPONSE_CODE%\\n"
---
apiVersion: appmesh.k8s.aws/v1beta2
kind: GatewayRoute
metadata:
  name: cart
  namespace: shop
spec:
  priority: 10
  httpRoute:
    match:
      prefix: /cart
      method: GET
      port: 8443
      hostname: {suffix: .example.com}
      headers:
        - name: x-version
          invert: true
          match: {regex: "v[0-9]+"}
        - name: x-age
          match:
            range: {start: 1, end: 10}
      queryParameters:
        - name: color
          match: {exact: red}
    action:
      target:
        port: 8080
        virtualService:
          virtualServiceRef: {name: cart}
      rewrite:
        hostname: {defaultTargetHostname: DISABLED}
        prefix: {value: /}
---
apiVersion: appmesh.k8s.aws/v1beta2
kind: GatewayRoute
metadata: {name: stock, namespace: shop}
spec:
  grpcRoute:
    match:
      serviceName: shop.Stock
      metadata:
        - {name: tenant, match: {prefix: a}}
    action:
      target: {virtualService: {virtualServiceRef: {name: stock}}}
---
apiVersion: appmesh.k8s.aws/v1beta2
kind: VirtualService
metadata: {name: cart, namespace: shop}
spec:
  awsName: cart.shop.svc.cluster.local
  provider:
    virtualRouter:
      virtualRouterRef: {name: cart}
---
apiVersion: appmesh.k8s.aws/v1beta2
kind: VirtualRouter
metadata: {name: cart, namespace: shop}
spec:
  listeners:
    - portMapping: {port: 8080, protocol: http}
  routes:
    - name: main
      priority: 5
      httpRoute:
        match:
          path: {regex: "/cart/[^/]+"}
          scheme: http
        action:
          weightedTargets:
            - {virtualNodeRef: {name: cart-v1}, weight: 90, port: 8080}
            - {virtualNodeRef: {name: cart-v2, namespace: shop}, weight: 10}
        retryPolicy:
          maxRetries: 2
          perRetryTimeout: {unit: s, value: 1}
          httpRetryEvents: [server-error, gateway-error]
          tcpRetryEvents: [connection-error]
        timeout:
          perRequest: {unit: ms, value: 2500}
          idle: {unit: s, value: 0}
    - name: raw
      tcpRoute:
        action:
          weightedTargets: [{virtualNodeRef: {name: cart-v1}, weight: 1}]
---
apiVersion: appmesh.k8s.aws/v1beta2
kind: VirtualNode
metadata: {name: cart-v1, namespace: shop}
spec:
  podSelector: {matchLabels: {app: cart, version: v1}}
  listeners:
    - portMapping: {port: 8080, protocol: http}
      outlierDetection:
        maxServerErrors: 5
        interval: {unit: s, value: 10}
        baseEjectionDuration: {unit: s, value: 10}
        maxEjectionPercent: 50
      connectionPool:
        http: {maxConnections: 10, maxPendingRequests: 10}
      timeout:
        http: {perRequest: {unit: s, value: 60}}
  serviceDiscovery:
    dns: {hostname: cart.shop.svc.cluster.local, responseType: ENDPOINTS}
  backends:
    - virtualService:
        virtualServiceRef: {name: stock}
        clientPolicy:
          tls:
            enforce: false
            ports: [8443]
            certificate: {sds: {secretName: me}}
            validation: {trust: {sds: {secretName: ca}}}
  backendGroups: [{name: all}]
  backendDefaults:
    clientPolicy:
      tls:
        validation:
          trust: {acm: {certificateAuthorityARNs: ["arn:aws:acm-pca:eu-west-1:1234:ca/1"]}}
  logging:
    accessLog:
      file: {path: /dev/stdout, format: {json: [{key: status, value: "%RESPONSE_CODE%"}]}}
---
apiVersion: appmesh.k8s.aws/v1beta2
kind: BackendGroup
metadata: {name: all, namespace: shop}
spec:
  virtualservices: [{name: cart}, {name: stock}]
---
apiVersion: pointsman.dev/v1alpha1
kind: MeshTLS
metadata: {name: all, namespace: shop}
spec:
  targetRefs:
    - {kind: Mesh, name: shop}
    - {kind: VirtualNode, name: cart, sectionName: "8080"}
  mode: PERMISSIVE
---
apiVersion: pointsman.dev/v1alpha1
kind: RoutePolicy
metadata: {name: cart, namespace: shop}
spec:
  targetRefs:
    - {kind: VirtualRouter, name: cart, sectionName: main}
    - {kind: GatewayRoute, name: cart}
  timeout: {perRequest: {unit: s, value: 20}, idle: {unit: s, value: 60}}
  retry:
    maxRetries: 2
    perRetryTimeout: {unit: s, value: 2}
    httpRetryEvents: [gateway-error]
    tcpRetryEvents: [connection-error]
    grpcRetryEvents: [unavailable]
    statusCodes: [429]
  mirror: {virtualNodeRef: {name: cart-v2}, port: 8080, percent: 2.5}
  requestHeaders:
    set: [{name: x-team, value: web}]
    add: [{name: x-seen, value: front}]
    remove: [x-debug]
  responseHeaders: {remove: [server]}
  fault:
    delay: {duration: {unit: ms, value: 100}, percent: 5}
    abort: {httpStatus: 503, percent: 0.5}
  cors:
    allowOrigins: ["https://*.example.com"]
    allowMethods: [GET, PUT]
    allowHeaders: [x-token]
    exposeHeaders: [x-total]
    maxAge: {unit: s, value: 600}
    allowCredentials: true
---
apiVersion: pointsman.dev/v1alpha1
kind: BackendPolicy
metadata: {name: cart, namespace: shop}
spec:
  targetRefs: [{kind: VirtualNode, name: cart-v1, sectionName: "8080"}]
  algorithm: MAGLEV
  stickiness: {cookie: {name: session, path: /cart, ttl: {unit: s, value: 3600}}}
  zoneAware: true
  panicThreshold: 20
  connectTimeout: {unit: s, value: 1}
---
apiVersion: pointsman.dev/v1alpha1
kind: BackendPolicy
metadata: {name: cart-v2, namespace: shop}
spec:
  targetRefs: [{kind: VirtualNode, name: cart-v2}]
  algorithm: LEAST_REQUEST
  slowStart: {window: {unit: s, value: 30}, minPercent: 20}
---
apiVersion: pointsman.dev/v1alpha1
kind: ListenerPolicy
metadata: {name: front, namespace: shop}
spec:
  targetRefs: [{kind: VirtualGateway, name: front, sectionName: "8443"}]
  compression: {encodings: [brotli, gzip], minBytes: 1000, contentTypes: [application/json]}
  upgrades: [WEBSOCKET, CONNECT]
---
apiVersion: pointsman.dev/v1alpha1
kind: AddressPolicy
metadata: {name: stock, namespace: shop}
spec:
  targetRefs: [{kind: VirtualService, name: stock}]
  addresses: [10.1.2.3, 10.8.0.0/16, "fd00::/8"]
---
apiVersion: pointsman.dev/v1alpha1
kind: TelemetryPolicy
metadata: {name: otel, namespace: shop}
spec:
  targetRefs: [{kind: Mesh, name: shop}]
  collector: {address: "https://otel.example:4317", caFile: /certs/ca.pem}
  traces: {samplePercent: 5, trustCallers: true}
  logs: true
  metrics: true
  consumers: true
---
apiVersion: pointsman.dev/v1alpha1
kind: VersionPolicy
metadata: {name: orders-v1, namespace: shop}
spec:
  targetRefs: [{kind: GatewayRoute, name: cart}]
  version: v1
  header: x-api-version
  default: true
  deprecated: {at: "2026-06-01T00:00:00Z", link: https://shop.example/docs}
  sunset: {at: "2027-06-01T00:00:00+02:00"}
  successor: https://shop.example/v2
---
apiVersion: pointsman.dev/v1alpha1
kind: Rollout
metadata: {name: cart, namespace: shop}
spec:
  targetRef: {kind: VirtualRouter, name: cart}
  stable: {name: cart-v1}
  candidate: {name: cart-v2}
  strategy:
    canary:
      steps: [{weight: 10, hold: {unit: s, value: 60}}, {weight: 50, pause: true}]
  analysis:
    successRate: 99.5
    latency: {max: {unit: ms, value: 250}}
---
apiVersion: pointsman.dev/v1alpha1
kind: Consumer
metadata: {name: acme, namespace: shop}
spec:
  groups: [gold]
  attributes: {owner: Ann}
  certificates: ["spiffe://acme.example/app"]
  tokens: [{issuer: "https://idp.example", subject: acme-app}]
---
apiVersion: pointsman.dev/v1alpha1
kind: AccessPolicy
metadata: {name: cart, namespace: shop}
spec:
  targetRefs: [{kind: GatewayRoute, name: cart}, {kind: VirtualRouter, name: cart, sectionName: a}]
  methods:
    - apiKey: {headers: [x-key], cookies: [key], keep: true}
    - basic: {realm: shop}
    - certificate: {}
    - jwt:
        issuer: https://idp.example
        audiences: [cart]
        jwks: {url: "https://idp.example/keys", outage: keep}
        claimHeaders: [{claim: email, header: x-email}]
        consumer: {claim: azp}
    - introspection:
        url: https://idp.example/introspect
        clientId: shop
        clientSecret: {file: /run/secrets/shop}
        whenAway: stale
    - oidc:
        issuer: https://idp.example
        clientId: shop
        clientSecret: {file: /run/secrets/shop}
        cookieSecret: {file: /run/secrets/cookies}
        endpoints:
          authorization: https://idp.example/auth
          token: https://idp.example/token
          endSession: https://idp.example/logout
        jwks: {file: /run/secrets/keys}
        redirectPath: /cart/back
        origin: https://shop.example
  sources: {allow: [10.0.0.0/8], deny: [10.0.0.1]}
  rules:
    - {name: gold, groups: [gold], consumers: [{name: acme}], paths: [{prefix: /cart}]}
    - {name: bots, action: deny, when: "request.useragent.contains('bot')"}
  external: {grpc: "https://authz.example:9000", takeOver: [x-plan], body: {maxBytes: 1024}}
  default: deny
  audit: true
---
apiVersion: pointsman.dev/v1alpha1
kind: HygienePolicy
metadata: {name: front, namespace: shop}
spec:
  targetRefs: [{kind: VirtualGateway, name: front}]
  maxBodyBytes: 1048576
  methods: [GET, POST]
  answers: {recommended: true, hide: [x-build]}
  maxHeadersKib: 16
  escapedSlashes: keep
  timeouts: {headers: {unit: s, value: 5}}
  shedding: {successPercent: 90}
  concurrency: {most: 100}
---
apiVersion: pointsman.dev/v1alpha1
kind: AuthorizationServer
metadata: {name: login, namespace: shop}
spec:
  targetRefs: [{kind: VirtualGateway, name: front, sectionName: "8443"}]
  issuer: https://login.example.com/shop
  lifetimes: {accessToken: {unit: s, value: 300}, refreshTokenIdle: {unit: s, value: 86400}}
  audiences: ["https://api.example.com"]
  scopes: [{name: read, description: See your orders}]
  signing: {algorithm: RS256, rotateEvery: {unit: s, value: 86400}}
  login: password
  clients:
    - consumer: {name: acme, namespace: shop}
      grants: [authorizationCode, refreshToken]
      redirectUris: ["https://app.example.com/callback"]
      scopes: [read]
      audiences: ["https://api.example.com"]
      public: true
    - {consumer: {name: cart}, introspect: true}
---
apiVersion: pointsman.dev/v1alpha1
kind: RateLimitPolicy
metadata: {name: plans, namespace: shop}
spec:
  targetRefs: [{kind: VirtualGateway, name: front}]
  limits:
  - {name: plan, by: [{consumer: {}}], rate: {requests: 10, per: second}}
---
apiVersion: appmesh.k8s.aws/v1beta1
kind: VirtualNode
metadata: {name: old, namespace: shop}
spec:
  meshName: shop
  listeners:
    - portMapping: {port: 8080, protocol: grpc}
      healthCheck: {intervalMillis: 6000}
      tls: {mode: STRICT, certificate: {acm: {certificateArn: "arn:x"}}}
  serviceDiscovery:
    cloudMap: {namespaceName: shop.local, serviceName: old, attributes: {version: v1}}
  backends:
    - virtualService:
        virtualServiceName: cart.shop.svc.cluster.local
        clientPolicy: {tls: {validation: {trust: {acm: {certificateAuthorityArns: ["arn:y"]}}}}}
---
apiVersion: appmesh.k8s.aws/v1beta1
kind: VirtualService
metadata: {name: old.shop.svc.cluster.local, namespace: shop}
spec:
  meshName: shop
  routes:
    - name: main
      grpc:
        match: {serviceName: shop.Old, methodName: Get}
        action:
          weightedTargets:
            - {virtualNodeName: old, weight: 1}
            - {virtualNodeName: new.other, weight: 3}
        retryPolicy: {maxRetries: 1, perRetryTimeoutMillis: 1500, grpcRetryEvents: [unavailable]}
"""
