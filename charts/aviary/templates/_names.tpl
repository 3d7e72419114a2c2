{{/* Names, labels, images and pieces that the workloads share. */}}

{{- define "aviary.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 48 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 48 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 48 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "aviary.gateway" -}}{{ include "aviary.fullname" . }}-gateway{{- end -}}
{{- define "aviary.query" -}}{{ include "aviary.fullname" . }}-query{{- end -}}
{{- define "aviary.operator" -}}{{ include "aviary.fullname" . }}-operator{{- end -}}

{{/* Labels that select, of (list ROOT COMPONENT). */}}
{{- define "aviary.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ default $root.Chart.Name $root.Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* All labels, of (list ROOT COMPONENT). */}}
{{- define "aviary.labels" -}}
{{- $root := index . 0 -}}
{{ include "aviary.selector" . }}
app.kubernetes.io/part-of: aviary
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{/* The image of (list ROOT SERVICE). */}}
{{- define "aviary.image" -}}
{{- $root := index . 0 -}}
{{- with $root.Values.image.registry }}{{ trimSuffix "/" . }}/{{ end }}{{ index . 1 }}:{{ default $root.Chart.AppVersion $root.Values.image.tag }}
{{- end -}}

{{- define "aviary.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "aviary.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* The operator's ServiceAccount. It is one that is named, as its rights would be those of every pod if it were `default`. */}}
{{- define "aviary.operatorServiceAccount" -}}
{{- $account := .Values.operator.serviceAccount -}}
{{- if $account.create -}}
{{- default (include "aviary.operator" .) $account.name -}}
{{- else -}}
{{- required "operator.serviceAccount.create is false, so operator.serviceAccount.name has to name one that is there" $account.name -}}
{{- end -}}
{{- end -}}

{{/* The claim of the volume of reports. */}}
{{- define "aviary.claim" -}}
{{- default (printf "%s-reports" (include "aviary.fullname" .)) .Values.volume.existingClaim -}}
{{- end -}}

{{/* What the pod security standard `restricted` asks for, of pods and of containers. */}}
{{- define "aviary.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ int .Values.securityContext.user }}
runAsGroup: {{ int .Values.securityContext.user }}
fsGroup: {{ int .Values.securityContext.user }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "aviary.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* Fields of a pod beside its containers and volumes, of (list ROOT COMPONENT VALUES). */}}
{{- define "aviary.pod" -}}
{{- $root := index . 0 -}}
{{- $values := index . 2 -}}
{{- if eq (index . 1) "operator" -}}
serviceAccountName: {{ include "aviary.operatorServiceAccount" $root }}
automountServiceAccountToken: true
{{- else -}}
serviceAccountName: {{ include "aviary.serviceAccount" $root }}
automountServiceAccountToken: false
{{- end }}
# Kubernetes makes variables of Services that could be taken for ours.
enableServiceLinks: false
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
securityContext:
  {{- include "aviary.podSecurity" $root | nindent 2 }}
topologySpreadConstraints:
  {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "aviary.selector" $ | nindent 8 }}
  {{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Not empty if the operator tells of the fleet. */}}
{{- define "aviary.fleet" -}}
{{- if and .Values.operator.enabled .Values.operator.fleet.enabled }}yes{{ end -}}
{{- end -}}

{{/* Flags of every process. */}}
{{- define "aviary.args" -}}
- --admin-listen=0.0.0.0:8001
- --drain-timeout={{ int .Values.drainTimeout }}
- --log-format={{ .Values.log.format }}
- {{ printf "--log=%s" .Values.log.level | quote }}
{{- with .Values.otlpEndpoint }}
- {{ printf "--otlp-endpoint=%s" . | quote }}
{{- end }}
{{- end -}}

{{/* Probes of the admin port, which is ready when the service is. */}}
{{- define "aviary.probes" -}}
startupProbe:
  httpGet: {path: /livez, port: admin}
  periodSeconds: 1
  failureThreshold: 60
readinessProbe:
  httpGet: {path: /readyz, port: admin}
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 2
livenessProbe:
  httpGet: {path: /livez, port: admin}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
{{- end -}}
